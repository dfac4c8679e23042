// What becomes of the parameters of a request, the same way in every API: each has its table, as data.
import { CcapiError } from "../auth/errors.ts";

/** What becomes of a parameter. */
export interface Parameter {
  readonly name: string;
  /**
   * - `used`: it has its effect.
   * - `sampling`: it has its effect where the model does not think; else it is ignored.
   * - `ignored`: accepted without effect, and named in `x-ignored-parameters`.
   * - `refused`: a 400 that names it, unless its value asks for nothing.
   */
  readonly fate: "used" | "sampling" | "ignored" | "refused";
  /** For documents, and for the error of a refused one. */
  readonly note: string;
}

/** By name: values that ask for nothing. */
export type HarmlessValues = Readonly<Record<string, (value: unknown) => boolean>>;

/**
 * Holds a body against its API's table.
 *
 * @returns names of parameters without effect, unknown ones among them, for `x-ignored-parameters`.
 * @throws CcapiError `unsupported_parameter` for a refused one.
 */
export function ignoredParameters(
  body: Readonly<Record<string, unknown>>,
  parameters: readonly Parameter[],
  harmlessValues: HarmlessValues,
): string[] {
  const ignored: string[] = [];
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const [name, value] of Object.entries(body)) {
    if (value === null || value === undefined) continue;
    // The name is the client's: `__proto__` must not find what every object has.
    if (Object.hasOwn(harmlessValues, name) && harmlessValues[name]?.(value) === true) continue;
    const parameter = known.get(name);
    if (parameter?.fate === "refused") {
      throw new CcapiError("unsupported_parameter", `${name}: ${parameter.note}.`, { param: name });
    }
    // A name that no document knows is repeated only if it can stand in a header.
    if (parameter === undefined ? /^\w{1,64}$/.test(name) : parameter.fate === "ignored") ignored.push(name);
  }
  return ignored;
}
