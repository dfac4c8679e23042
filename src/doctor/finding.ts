// What an examination found. Types only.

/** One thing that was looked at. */
export interface Finding {
  /** What, in a word or two. */
  readonly about: string;
  /** `problem`: requests will fail of it. `warning`: they will not, but a person should look. */
  readonly verdict: "ok" | "warning" | "problem";
  /** What was seen; no secret. */
  readonly seen: string;
  /** What a person does about it; absent where all is well. */
  readonly fix?: string;
}
