// A notice as those read it who are told: plain JSON for programs, or what Slack and its likes (Mattermost, Discord's /slack) show.
import type { Notice } from "./incidents.ts";

/** Who tells. */
export interface Sender {
  readonly version: string;
  /** This host's name. */
  readonly host: string;
}

/** The plain form. Its keys are API. */
export interface AlertPayload {
  readonly type: "ccapi.alert";
  readonly incident: string;
  readonly kind: string;
  readonly status: "firing" | "resolved";
  readonly severity: "critical" | "warning";
  readonly title: string;
  readonly detail: string;
  readonly action: string | null;
  /** ISO 8601 in UTC with seconds. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly server: Sender;
}

/** The plain form of a notice. */
export function toPayload(notice: Notice, server: Sender): AlertPayload {
  const { incident, kind, status, severity, title, detail, action, startedAtMs, endedAtMs } = notice;
  return {
    type: "ccapi.alert",
    incident,
    kind,
    status,
    severity,
    title,
    detail,
    action,
    startedAt: toIso(startedAtMs),
    endedAt: endedAtMs === null ? null : toIso(endedAtMs),
    server,
  };
}

/** The form of Slack's incoming webhooks. */
export function toSlack(notice: Notice, { host }: Sender): { readonly text: string } {
  const mark =
    notice.status === "resolved"
      ? ":white_check_mark:"
      : notice.severity === "critical"
        ? ":rotating_light:"
        : ":warning:";
  const lines = [`${mark} *${notice.title}* (${host})`, notice.detail];
  if (notice.action !== null) lines.push(`What to do: ${notice.action}`);
  return { text: escape(lines.filter((line) => line !== "").join("\n")) };
}

/** Slack's three control characters. @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function toIso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}
