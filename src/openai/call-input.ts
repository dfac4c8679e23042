// The arguments of a function's call, as text → the input that the model API takes. Pure.

/**
 * A call's arguments. The model API takes objects alone; what isn't one, like arguments that were cut off, is shown to the model as
 * it stands: a conversation with such a call in its past has to go on.
 */
export function toCallInput(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    const input: unknown = JSON.parse(json);
    if (typeof input === "object" && input !== null && !Array.isArray(input)) return input;
  } catch {
    // Shown below.
  }
  return { invalid_arguments: json };
}
