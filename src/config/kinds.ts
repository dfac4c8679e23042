// The kinds of settings: how each is read from text, and how its range is told. Knows no particular setting.
import { isIP } from "node:net";
import { isAbsolute, resolve } from "node:path";

/** Why a value was refused, in words that name the range. */
export class SettingError extends Error {
  override readonly name = "SettingError";
}

/** One way to read a setting's text. */
export interface Kind<T> {
  /** What is allowed, in words: "an integer from 0 to 65535". */
  readonly range: string;
  /** Whether a refused value may be shown. */
  readonly isSecret?: boolean;
  /** True where the flag takes no value. */
  readonly isSwitch?: boolean;
  /** @throws SettingError where the text is outside the range; the message adds nothing to `range` but the reason. */
  parse(text: string): T;
}

/** Any text but an empty one. */
export const text: Kind<string> = {
  range: "a text",
  parse(value) {
    if (value.trim() === "") throw new SettingError("it is empty");
    return value.trim();
  },
};

/** A text that is never shown. */
export const secret: Kind<string> = { ...text, isSecret: true };

/** An address of the web. It may hold a token: never shown. */
export const webAddress: Kind<string> = {
  range: "an address such as https://alerts.example.com/in",
  isSecret: true,
  parse(value) {
    const given = text.parse(value);
    if (!/^https?:\/\/[^\s/]+/.test(given) || !URL.canParse(given))
      throw new SettingError("it is no http or https address");
    return given;
  },
};

/** Where to listen. `[::1]`, as in an address of the web, is `::1` to the system. */
export const host: Kind<string> = {
  range: "a host name or an IP address",
  parse: (value) => text.parse(value).replace(/^\[(.*)\]$/, "$1"),
};

/** A path; a relative one is taken from the working folder. */
export const path: Kind<string> = {
  range: "a path",
  parse(value) {
    const given = text.parse(value);
    if (given.includes("\0")) throw new SettingError("it holds a NUL character");
    return isAbsolute(given) ? given : resolve(given);
  },
};

/** One of a few words. */
export function oneOf<const T extends string>(...choices: readonly T[]): Kind<T> {
  return {
    range: `one of ${choices.join(", ")}`,
    parse(value) {
      const found = choices.find((word) => word === value.trim().toLowerCase());
      if (found === undefined) throw new SettingError("it is none of them");
      return found;
    },
  };
}

/** An integer between two bounds, both included. */
export function integer(min: number, max: number): Kind<number> {
  return numeric(`an integer from ${min} to ${max}`, /^[+-]?\d+$/, min, max);
}

/** A decimal number between two bounds, both included. */
export function decimal(min: number, max: number): Kind<number> {
  return numeric(`a number from ${min} to ${max}`, /^[+-]?\d+(?:\.\d+)?$/, min, max);
}

function numeric(range: string, pattern: RegExp, min: number, max: number): Kind<number> {
  return {
    range,
    parse(value) {
      const given = value.trim().replaceAll("_", "");
      if (!pattern.test(given)) throw new SettingError("it is not such a number");
      const number = Number(given);
      if (number < min || number > max) throw new SettingError("it is out of range");
      return number;
    },
  };
}

/** Where a Redis is. Its password is a part of it. */
export const redisAddress: Kind<string> = {
  range: "an address such as redis://:password@host:6379/0 or rediss://user:password@host:6380",
  isSecret: true,
  parse(value) {
    const given = value.trim();
    if (!URL.canParse(given)) throw new SettingError("it is no address");
    const { protocol, hostname, pathname } = new URL(given);
    if (protocol !== "redis:" && protocol !== "rediss:")
      throw new SettingError("it does not begin with redis:// or rediss://");
    if (hostname === "") throw new SettingError("it names no host");
    if (!/^(?:\/\d*)?$/.test(pathname)) throw new SettingError("its path is not the number of a database");
    return given;
  },
};

/** A secret that several instances share. */
export const clusterSecret: Kind<string> = {
  range: "a text of at least 16 characters",
  isSecret: true,
  parse(value) {
    const given = text.parse(value);
    if (given.length < 16) throw new SettingError("it is shorter");
    return given;
  },
};

/** Yes or no. */
export const onOff: Kind<boolean> = {
  range: "1, true, yes, on, 0, false, no or off",
  isSwitch: true,
  parse(value) {
    const given = value.trim().toLowerCase();
    if (["1", "true", "yes", "on"].includes(given)) return true;
    if (["0", "false", "no", "off", ""].includes(given)) return false;
    throw new SettingError("it is none of them");
  },
};

/** A program and its arguments: a JSON array of texts, or words with '…' and "…" around those that hold blanks. */
export const command: Kind<readonly string[]> = {
  range: 'a program and its arguments, such as /opt/renew --now, or ["/opt/renew", "--now"]',
  // Somebody's arguments may hold a token.
  isSecret: true,
  parse(value) {
    const given = value.trim();
    const parsed = given.startsWith("[") ? fromJson(given) : toWords(given);
    if (parsed.length === 0 || parsed[0] === "") throw new SettingError("it names no program");
    return parsed;
  },
};

function fromJson(value: string): string[] {
  try {
    const parsed: unknown = JSON.parse(value);
    if (Array.isArray(parsed) && parsed.every((word) => typeof word === "string")) return parsed;
  } catch {
    // Said below.
  }
  throw new SettingError("it begins like a JSON array of texts and is none");
}

function toWords(value: string): string[] {
  const found = [...value.matchAll(/((?:[^\s'"]|'[^']*'|"[^"]*")+)|(\S)/g)];
  if (found.some((match) => match[2] !== undefined)) throw new SettingError("a quote is not closed");
  return found.map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, "$1$2"));
}

/** Comma-separated origins, each `scheme://host[:port]`, or `*`. */
export const origins: Kind<readonly string[]> = {
  range: "comma-separated origins such as https://chat.example.com, or *",
  parse(value) {
    return words(value).map((given) => {
      if (given === "*") return given;
      if (!URL.canParse(given) || new URL(given).origin !== given.replace(/\/$/, "").toLowerCase()) {
        throw new SettingError(`"${given}" is not an origin`);
      }
      return new URL(given).origin;
    });
  },
};

/** Comma-separated IP addresses. */
export const addresses: Kind<readonly string[]> = {
  range: "comma-separated IP addresses such as 127.0.0.1,10.0.0.7",
  parse(value) {
    return words(value).map((given) => {
      if (isIP(given) === 0) throw new SettingError(`"${given}" is no IP address`);
      return given;
    });
  },
};

/** Comma-separated `name=target` pairs. */
export const aliases: Kind<ReadonlyMap<string, string>> = {
  range: "comma-separated pairs such as gpt-4o=sonnet,gpt-4o-mini=haiku",
  parse(value) {
    return new Map(
      words(value).map((pair) => {
        const at = pair.indexOf("=");
        const [name, target] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
        if (at < 1 || name === "" || target === "") throw new SettingError(`"${pair}" is no name=target`);
        return [name, target];
      }),
    );
  },
};

/** A key that opens the server, with the name that logs and folders know it by. */
export interface NamedKey {
  /** `[A-Za-z0-9._-]{1,64}`, not beginning with a dot. */
  readonly name: string;
  readonly key: string;
}

/** Comma-separated keys, each bare or as `name=key`. Bare ones are named `<prefix>-1`, `<prefix>-2`, … by their place. */
export function keys(prefix: string): Kind<readonly NamedKey[]> {
  return {
    range: "comma-separated keys, each bare or as name=key; names of letters, digits, dot, dash and underscore",
    isSecret: true,
    parse(value) {
      const named = words(value).map((entry, index) => toNamedKey(entry, `${prefix}-${index + 1}`));
      for (const [index, { name, key }] of named.entries()) {
        const others = named.slice(0, index);
        if (others.some((other) => other.name === name)) throw new SettingError(`the name "${name}" is used twice`);
        if (others.some((other) => other.key === key)) throw new SettingError(`key ${index + 1} is given twice`);
      }
      return named;
    },
  };
}

function toNamedKey(entry: string, bareName: string): NamedKey {
  // A bare key may end in "=" itself, as base64 does.
  const match = /^([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})=(.*[^=].*)$/.exec(entry);
  const [name, key] = match ? [match[1] ?? "", match[2] ?? ""] : [bareName, entry];
  if (!/^[\x21-\x7e]{1,512}$/.test(key)) {
    throw new SettingError(`the key "${name}" holds blanks or other than printable ASCII characters, or is too long`);
  }
  return { name, key };
}

function words(value: string): string[] {
  return value
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
