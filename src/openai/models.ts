// OpenAI's list of models, and its object for one. Pure; what the names mean is in names/.
import { listedModels, modelsCreatedAt } from "../names/models.ts";

/** OpenAI's `model` object. */
export interface ModelObject {
  readonly id: string;
  readonly object: "model";
  /** Seconds since the epoch. */
  readonly created: number;
  readonly owned_by: string;
}

/** What `GET /v1/models` lists for OpenAI's clients. */
export function listModels(aliases: ReadonlyMap<string, string>): ModelObject[] {
  return listedModels(aliases).map(toModelObject);
}

/** OpenAI's object for a model's name. */
export function toModelObject(id: string): ModelObject {
  return { id, object: "model", created: modelsCreatedAt, owned_by: "anthropic" };
}
