// Where the material of each kind of credential lies, and what can be known of it without using it.
// The material is handed to a fingerprint and nowhere else.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WatchMode } from "../auth/ports.ts";
import type { ChildSetup } from "./child-setup.ts";
import type { Environment, SecretName } from "./environment.ts";
import { readHelperKey } from "./helper-key.ts";
import { readStoredLogin } from "./stored-login.ts";

/** What is found of a credential. */
export interface Material {
  /** `undefined`: there is none. */
  readonly secret: string | undefined;
  readonly expiresAtMs?: number;
  readonly watchMode: WatchMode;
  /** Whether it can change without a restart of this process. */
  readonly renewable: boolean;
  /** Whether Claude renews it by itself on the way of a request. */
  readonly claudeRenews: boolean;
  /** Files and folders whose change may mean another credential. */
  readonly paths: readonly string[];
  /** What a person does, where that differs from what is said of the kind in general. */
  readonly action?: string;
}

const secretByKind: Readonly<Record<"api_key" | "auth_token" | "oauth_token", SecretName>> = {
  api_key: "ANTHROPIC_API_KEY",
  auth_token: "ANTHROPIC_AUTH_TOKEN",
  oauth_token: "CLAUDE_CODE_OAUTH_TOKEN",
};

/**
 * Looks at the credential that a child would use.
 *
 * @param own the server's environment, which alone knows of `*_FILE` variables.
 * @throws Error where it can't tell now; the message holds no secret.
 */
export async function readMaterial(child: ChildSetup, own: Environment, signal: AbortSignal): Promise<Material> {
  const settingsFile = join(child.configDir, "settings.json");
  switch (child.kind) {
    case "api_key":
    case "auth_token":
    case "oauth_token": {
      const name = secretByKind[child.kind];
      const file = own[`${name}_FILE`];
      const inSettings = child.credentialSettings.env?.[name];
      const secret = inSettings ?? child.environment[name];
      const isFixed = !file && inSettings === undefined;
      const expiresAtMs = tokenExpiry(secret);
      return {
        secret,
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        watchMode: isFixed ? "fixed" : "cheap",
        renewable: !isFixed,
        claudeRenews: false,
        paths: file ? [file] : isFixed ? [] : [settingsFile],
        ...(file ? { action: `put a valid secret into the file named by ${name}_FILE` } : {}),
      };
    }
    case "api_key_helper": {
      const secret = await readHelperKey(child.credentialSettings.apiKeyHelper ?? "", child.environment, signal).catch(
        (error: unknown) => {
          if (signal.aborted) throw error;
          return undefined; // A helper that fails or hangs gives no credential.
        },
      );
      return {
        secret,
        watchMode: "costly",
        renewable: true,
        claudeRenews: true,
        paths: [settingsFile],
        ...(secret === undefined ? { action: "mend apiKeyHelper: it fails, hangs or prints no key" } : {}),
      };
    }
    case "stored_login": {
      const login = await readStoredLogin(child.configDir);
      const expiresAtMs = login.kind === "login" ? login.expiresAtMs : undefined;
      return {
        secret: login.kind === "login" ? login.material : login.kind === "hidden" ? "hidden" : undefined,
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        watchMode: "cheap",
        renewable: true,
        claudeRenews: true,
        paths: [join(child.configDir, ".credentials.json"), settingsFile],
      };
    }
    default:
      return readCloudChain(child, cloudPlaces[child.kind](child.environment));
  }
}

/** Environment variables and files that make up a cloud provider's chain, as far as they can be seen. */
interface CloudPlaces {
  readonly variables: readonly string[];
  readonly paths: readonly string[];
}

const cloudPlaces = {
  /** @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html */
  bedrock: (env: Environment): CloudPlaces => ({
    variables: [
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_SESSION_TOKEN",
      "AWS_PROFILE",
      "AWS_BEARER_TOKEN_BEDROCK",
    ],
    paths: [
      env["AWS_SHARED_CREDENTIALS_FILE"] || join(env["HOME"] ?? "", ".aws", "credentials"),
      env["AWS_CONFIG_FILE"] || join(env["HOME"] ?? "", ".aws", "config"),
      join(env["HOME"] ?? "", ".aws", "sso", "cache"),
      ...(env["AWS_WEB_IDENTITY_TOKEN_FILE"] ? [env["AWS_WEB_IDENTITY_TOKEN_FILE"]] : []),
    ],
  }),
  /** @see https://cloud.google.com/docs/authentication/application-default-credentials */
  vertex: (env: Environment): CloudPlaces => ({
    variables: ["GOOGLE_APPLICATION_CREDENTIALS"],
    paths: [
      env["GOOGLE_APPLICATION_CREDENTIALS"] ||
        join(
          env["CLOUDSDK_CONFIG"] || join(env["HOME"] ?? "", ".config", "gcloud"),
          "application_default_credentials.json",
        ),
    ],
  }),
  /** @see https://learn.microsoft.com/azure/developer/javascript/sdk/authentication/credential-chains */
  foundry: (env: Environment): CloudPlaces => ({
    variables: ["ANTHROPIC_FOUNDRY_API_KEY", "AZURE_CLIENT_SECRET", "AZURE_CLIENT_ID"],
    paths: [
      join(env["AZURE_CONFIG_DIR"] || join(env["HOME"] ?? "", ".azure"), "msal_token_cache.json"),
      ...(env["AZURE_FEDERATED_TOKEN_FILE"] ? [env["AZURE_FEDERATED_TOKEN_FILE"]] : []),
    ],
  }),
} as const;

async function readCloudChain(child: ChildSetup, { variables, paths }: CloudPlaces): Promise<Material> {
  const parts = [
    ...variables.map((name) => child.environment[name] ?? ""),
    ...(await Promise.all(paths.map(readAnything))),
  ];
  return {
    // An instance's role leaves nothing to see: that is no sign of a missing credential.
    secret: JSON.stringify(parts),
    watchMode: "cheap",
    renewable: true,
    claudeRenews: true,
    paths,
  };
}

/** A file's text, or those of a folder's files; "" where there is nothing. */
async function readAnything(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => undefined); // Missing, or a folder.
  if (text !== undefined) return text;
  const names = await readdir(path).catch(() => []);
  const texts = await Promise.all(
    names.toSorted((a, b) => a.localeCompare(b)).map((name) => readFile(join(path, name), "utf8").catch(() => "")),
  );
  return texts.join("\n");
}

/** A JSON Web Token says when it ends. @see RFC 7519, 4.1.4 */
function tokenExpiry(token: string | undefined): number | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(token ?? "")?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : undefined;
    return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined; // Three parts with dots, but no token.
  }
}
