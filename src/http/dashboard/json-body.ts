// A body as JSON, where no schema of the OpenAPI document reads it.
import type { Context } from "hono";
import { CcapiError } from "../../auth/errors.ts";
import type { AppEnv } from "../app-env.ts";

/** @throws CcapiError `invalid_json` */
export async function readJson(context: Context<AppEnv>): Promise<unknown> {
  const text = await context.req.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new CcapiError("invalid_json", "The body is not valid JSON.");
  }
}
