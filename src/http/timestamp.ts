// How this API writes points in time.

/** ISO 8601 in UTC with seconds: `2025-08-24T03:53:28Z`. */
export function toTimestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
