import { Webhook } from "standardwebhooks";
import { describe, expect, it, vi } from "vitest";
import type { Notice } from "../../../src/observe/alerts/incidents.ts";
import { createOutbox } from "../../../src/observe/alerts/outbox.ts";
import { toPayload, toSlack } from "../../../src/observe/alerts/payload.ts";
import { webhook } from "../../../src/observe/alerts/webhook.ts";

const sender = { version: "1.2.3", host: "gateway-1" };
const notice: Notice = {
  incident: "9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
  kind: "login_needed",
  status: "firing",
  severity: "critical",
  title: "The Claude credential was refused: a person must act",
  detail: "Requests are answered with 503 until it is mended.",
  action: "run `claude` & log in <here>",
  startedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  endedAtMs: null,
};
const never = new AbortController().signal;
const secret = `whsec_${Buffer.from("a made-up secret of the tests").toString("base64")}`;

/** A receiver that answers with these statuses in turn, and what it was sent. */
function receiver(...statuses: number[]) {
  const requests: Request[] = [];
  const send: typeof fetch = async (url, init) => {
    requests.push(new Request(url, init));
    return new Response(null, { status: statuses[requests.length - 1] ?? 200 });
  };
  return { requests, send };
}

function hook(send: typeof fetch, more: { secret?: string; format?: "json" | "slack" } = {}) {
  const { format = "json" } = more;
  const base = { url: "https://alerts.example.com/in?token=marked-token", sender, timeoutMs: 1_000, now: Date.now };
  return webhook({ ...base, secret: more.secret, format, fetch: send });
}

describe("a notice", () => {
  it("has this plain form, whose keys are API (D2)", () => {
    expect(toPayload(notice, sender)).toEqual({
      type: "ccapi.alert",
      incident: "9c5b94b1-35ad-49bb-b118-8e8fc24abf80",
      kind: "login_needed",
      status: "firing",
      severity: "critical",
      title: "The Claude credential was refused: a person must act",
      detail: "Requests are answered with 503 until it is mended.",
      action: "run `claude` & log in <here>",
      startedAt: "2026-01-02T03:04:05Z",
      endedAt: null,
      server: { version: "1.2.3", host: "gateway-1" },
    });
  });

  it("is for Slack one text in which nothing is a command (D2)", () => {
    expect(toSlack(notice, sender)).toEqual({
      text: ":rotating_light: *The Claude credential was refused: a person must act* (gateway-1)\nRequests are answered with 503 until it is mended.\nWhat to do: run `claude` &amp; log in &lt;here&gt;",
    });
  });
});

describe("the webhook", () => {
  it("signs what it sends so that a Standard Webhooks receiver accepts it, and another secret does not (D2)", async () => {
    const { requests, send } = receiver(200);
    await hook(send, { secret })(notice, never);
    const [request] = requests;
    const body = (await request?.text()) ?? "";
    const headers = Object.fromEntries(request?.headers ?? []);
    expect(new Webhook(secret).verify(body, headers)).toEqual(toPayload(notice, sender));
    const other = new Webhook(`whsec_${Buffer.from("another secret").toString("base64")}`);
    expect(() => other.verify(body, headers)).toThrow("No matching signature");
  });

  it("is refused by anything but a 2xx, and its error holds no address (C2, D2)", async () => {
    const { send } = receiver(500);
    await expect(hook(send)(notice, never)).rejects.toThrow("the receiver answered 500");
    const gone: typeof fetch = () =>
      Promise.reject(new TypeError("fetch failed", { cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) }));
    const failure = await hook(gone)(notice, never).catch((error: unknown) => String(error));
    expect(failure).toBe("Error: the receiver was not reached (ECONNREFUSED)");
    expect(failure).not.toContain("marked-token");
  });
});

describe("the outbox", () => {
  const silent = { info: vi.fn<() => void>(), warn: vi.fn<() => void>(), error: vi.fn<() => void>() };

  it("tries again until the receiver takes it, and keeps the order (D2)", async () => {
    const { requests, send } = receiver(503, 500, 200, 200);
    const outbox = createOutbox({ channel: "webhook", send: hook(send), log: silent, firstPauseMs: 1 });
    outbox.post(notice);
    outbox.post({ ...notice, status: "resolved" });
    await vi.waitFor(() => expect(requests).toHaveLength(4));
    const statuses = await Promise.all(requests.map(async (each) => (JSON.parse(await each.text()) as Notice).status));
    expect(statuses).toEqual(["firing", "firing", "firing", "resolved"]);
    outbox.close();
  });

  it("gives up in the end, says so, and goes on with the next (D2)", async () => {
    const { requests, send } = receiver(500, 500, 200);
    const error = vi.fn<() => void>();
    const log = { ...silent, error };
    const outbox = createOutbox({ channel: "webhook", send: hook(send), log, firstPauseMs: 1, retries: 1 });
    outbox.post(notice);
    outbox.post({ ...notice, status: "resolved" });
    await vi.waitFor(() => expect(requests).toHaveLength(3));
    expect(error.mock.calls).toEqual([
      [
        { channel: "webhook", kind: "login_needed", status: "firing", reason: "the receiver answered 500" },
        "An alert is given up",
      ],
    ]);
    outbox.close();
  });

  it("drops what is too much for a receiver that is gone, and says so (C4, D2)", () => {
    const error = vi.fn<() => void>();
    const hangs = () => new Promise<never>(() => undefined);
    const outbox = createOutbox({ channel: "webhook", send: hangs, log: { ...silent, error } });
    for (let count = 0; count < 103; count += 1) outbox.post(notice);
    expect(error).toHaveBeenCalledTimes(2);
    outbox.close();
  });

  it("takes nothing once it is closed, and lets go of what is on its way (D2)", async () => {
    const sent = vi.fn<(notice: Notice, signal: AbortSignal) => Promise<void>>(
      (_notice, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
    );
    const outbox = createOutbox({ channel: "webhook", send: sent, log: silent });
    outbox.post(notice);
    await vi.waitFor(() => expect(sent).toHaveBeenCalledTimes(1));
    outbox.close();
    expect(sent.mock.calls[0]?.[1].aborted).toBe(true);
    outbox.post(notice);
    await new Promise((resolve) => void setImmediate(resolve));
    expect(sent).toHaveBeenCalledTimes(1);
  });
});
