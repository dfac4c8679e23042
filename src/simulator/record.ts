// The log of requests that tests read: bounded, and free of credentials. It holds prompts; it is never written anywhere.
import type { IncomingHttpHeaders } from "node:http";
import type { RequestRecord } from "./contract.ts";

const MAX_RECORDS = 10_000;
/** Bodies are kept up to this sum; the oldest go first. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
const REDACTED = "[redacted]";
const SECRET_HEADERS = new Set(["x-api-key", "authorization", "proxy-authorization", "cookie"]);

/** A record while its request runs. */
export type OpenRecord = { -readonly [Field in keyof RequestRecord]: RequestRecord[Field] };

export interface RecordLog {
  readonly records: readonly RequestRecord[];
  open(arrived: Pick<RequestRecord, "at" | "method" | "path" | "headers">): OpenRecord;
  /** Files the body under its record. */
  keepBody(record: OpenRecord, body: unknown, bytes: number): void;
  clear(): void;
}

export function createRecordLog(): RecordLog {
  const records: OpenRecord[] = [];
  let keptBytes = 0;
  let firstWithBody = 0;

  const dropOldestBody = (): void => {
    const record = records[firstWithBody++];
    if (record === undefined || record.body === null) return;
    keptBytes -= record.bodyBytes;
    record.body = null;
  };

  return {
    records,
    open(arrived) {
      const record: OpenRecord = {
        ...arrived,
        credential: null,
        body: null,
        bodyBytes: 0,
        status: 0,
        outcome: "open",
        rule: null,
      };
      records.push(record);
      // A tenth goes at once: taking one off the front of a long array for each request is slow.
      if (records.length > MAX_RECORDS) {
        const excess = MAX_RECORDS / 10;
        while (firstWithBody < excess) dropOldestBody();
        records.splice(0, excess);
        firstWithBody -= excess;
      }
      return record;
    },
    keepBody(record, body, bytes) {
      record.bodyBytes = bytes;
      // Cleared or dropped while its body was still on its way: nobody reads it any more.
      if (records.lastIndexOf(record) < firstWithBody) return;
      record.body = body;
      keptBytes += bytes;
      while (keptBytes > MAX_BODY_BYTES && firstWithBody < records.length) dropOldestBody();
    },
    clear() {
      records.length = 0;
      keptBytes = 0;
      firstWithBody = 0;
    },
  };
}

/** Headers as one string each, without credentials. @param secret a value to be taken out wherever it stands */
export function toPlainHeaders(headers: IncomingHttpHeaders, secret: string | null): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue;
    const text = Array.isArray(value) ? value.join(", ") : value;
    plain[name] = SECRET_HEADERS.has(name) ? REDACTED : withoutSecret(text, secret);
  }
  return plain;
}

/** Takes a credential out of a text; one so short that it may be part of any word stays. */
export function withoutSecret(text: string, secret: string | null): string {
  return secret === null || secret.length < 8 || !text.includes(secret) ? text : text.replaceAll(secret, REDACTED);
}
