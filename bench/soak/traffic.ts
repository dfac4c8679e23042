// The mixed traffic of a soak: each kind asks, and knows what the answer has to be. A kind whose API is not served is left out.
import { randomUUID } from "node:crypto";
import { type Got, send } from "./client.ts";

/** One kind of traffic. */
export interface Traffic {
  readonly name: string;
  /** Asks once, or a few times in a conversation; `ends` hears how each request ended. */
  run(ends: (end: string) => void): Promise<void>;
}

/** Where it goes. */
export interface Target {
  readonly url: string;
  /** Keys of three clients. */
  readonly keys: readonly [string, string, string];
}

/** Answers to this begin with these words and go on for two seconds. */
export const longWords = "Tell a long story";

/** All kinds, and the names of those that this server does not serve, which are left out. */
export async function allTraffic(target: Target): Promise<{ traffic: Traffic[]; leftOut: string[] }> {
  const always = [...chats(target), ...sessions(target), ...agents(target), ...rude(target)];
  const optional = [clientTools(target), messages(target), responses(target)];
  const ends = await Promise.all(optional.map((kind) => firstEnd(kind)));
  return {
    traffic: [...always, ...optional.filter((_kind, index) => ends[index] === "ok")],
    leftOut: optional.filter((_kind, index) => ends[index] !== "ok").map(({ name }) => name),
  };
}

async function firstEnd(kind: Traffic): Promise<string> {
  const ends: string[] = [];
  await kind.run((end) => void ends.push(end));
  return ends[0] ?? "nothing";
}

const chatPath = "/v1/chat/completions";

function ask(words: string, more: object = {}): Record<string, unknown> {
  return { model: "sonnet", messages: [{ role: "user", content: words }], ...more };
}

/** `ok` where the answer is there and has these words. */
function judge({ status, code, text }: Got, words: string): string {
  if (status !== 200 || code !== undefined) return `${status} ${code ?? "without a code"}`;
  return text.includes(words) ? "ok" : "200 with a wrong answer";
}

function chats({ url, keys: [one, two, three] }: Target): Traffic[] {
  const simple = (name: string, key: string, more: object): Traffic => ({
    name,
    async run(ends) {
      const word = randomUUID();
      ends(judge(await send(url, { path: chatPath, key, body: ask(`Say exactly: ${word}`, more) }), word));
    },
  });
  return [
    simple("new chat, streamed", one, { stream: true }),
    simple("new chat, in one piece", two, {}),
    simple("new chat of an end user", two, { user: "someone" }),
    {
      name: "chat that goes on by its history",
      async run(ends) {
        const name = `Name${randomUUID().slice(0, 8)}`;
        const said: { role: string; content: string }[] = [];
        for (const words of [`My name is ${name}.`, "What is my name?", "What is my name?"]) {
          said.push({ role: "user", content: words });
          const got = await send(url, {
            path: chatPath,
            key: three,
            body: { model: "sonnet", stream: true, messages: said },
          });
          ends(judge(got, name));
          if (got.status !== 200 || got.code !== undefined) return;
          said.push({ role: "assistant", content: got.text });
        }
      },
    },
  ];
}

function sessions({ url, keys: [one] }: Target): Traffic[] {
  return [
    {
      name: "session of a chat",
      async run(ends) {
        const session = randomUUID();
        const name = `Name${randomUUID().slice(0, 8)}`;
        for (const words of [`My name is ${name}.`, "What is my name?", "What is my name?"]) {
          const end = judge(
            await send(url, { path: chatPath, key: one, body: ask(words, { stream: true }), session }),
            name,
          );
          ends(end);
          if (end !== "ok") break;
        }
        await forget(url, one, session);
      },
    },
  ];
}

/** Each command runs once, whatever happens to the credential meanwhile: the file `marks` of its workspace is looked at in the end. */
function agents({ url, keys: [, two, three] }: Target): Traffic[] {
  const words = () => {
    const mark = `mark-${randomUUID()}`;
    return { mark, text: `Run \`echo ${mark} | tee -a marks\` with the Bash tool` };
  };
  return [
    {
      name: "agent with a tool",
      async run(ends) {
        const { mark, text } = words();
        const body = ask(text, { model: "claude-code", stream: true });
        ends(judge(await send(url, { path: chatPath, key: two, body }), mark));
      },
    },
    {
      name: "session of an agent with a tool",
      async run(ends) {
        const session = randomUUID();
        for (let turn = 0; turn < 2; turn += 1) {
          const { mark, text } = words();
          const end = judge(
            await send(url, { path: chatPath, key: three, body: ask(text, { model: "claude-code" }), session }),
            mark,
          );
          ends(end);
          if (end !== "ok") break;
        }
        await forget(url, three, session);
      },
    },
  ];
}

/** Clients as one does not wish them. */
function rude({ url, keys: [one, two, three] }: Target): Traffic[] {
  const long = (key: string, manner: object) =>
    send(url, { path: chatPath, key, body: ask(longWords, { stream: true }), ...manner });
  const refused: readonly (readonly [number, string, object])[] = [
    [401, "not-a-key", ask("Hello")],
    [400, one, { model: "sonnet", messages: "none" }],
    [404, one, ask("Hello", { model: "no-such-model" })],
  ];
  return [
    {
      name: "client that goes away",
      async run(ends) {
        const { status, code } = await long(two, { leaveAfter: 5 });
        ends(status === 200 ? "ok" : `${status} ${code}`);
      },
    },
    {
      name: "client that reads slowly",
      run: async (ends) => ends(judge(await long(three, { pauseMs: 50 }), " ")),
    },
    {
      name: "request that is refused",
      async run(ends) {
        for (const [expected, key, body] of refused) {
          const { status, code } = await send(url, { path: chatPath, key, body: { ...body } });
          ends(status === expected ? "ok" : `${status} ${code} instead of ${expected}`);
        }
      },
    },
  ];
}

function clientTools({ url, keys: [one] }: Target): Traffic {
  return {
    name: "chat with the client's tools",
    async run(ends) {
      const word = `W${randomUUID().slice(0, 8)}`;
      const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
      const tools = [
        { type: "function", function: { name: "get_weather", description: "Weather of a city", parameters } },
      ];
      const asked = { role: "user", content: "Weather in Paris? Use get_weather." };
      const body = { model: "sonnet", messages: [asked], tools };
      const called = await send(url, { path: chatPath, key: one, body });
      const { choices } = JSON.parse(called.raw) as { choices?: { message: { tool_calls?: { id: string }[] } }[] };
      const message = choices?.[0]?.message;
      const [call] = message?.tool_calls ?? [];
      if (message === undefined || call === undefined) return ends(judge(called, "a call of its tool"));
      ends("ok");
      const result = { role: "tool", tool_call_id: call.id, content: word };
      ends(
        judge(
          await send(url, { path: chatPath, key: one, body: { ...body, messages: [asked, message, result] } }),
          word,
        ),
      );
    },
  };
}

function messages({ url, keys: [one] }: Target): Traffic {
  return {
    name: "messages API, streamed",
    async run(ends) {
      const word = randomUUID();
      const body = ask(`Say exactly: ${word}`, { stream: true, max_tokens: 1_000 });
      ends(judge(await send(url, { path: "/v1/messages", key: one, body }), word));
    },
  };
}

function responses({ url, keys: [, two] }: Target): Traffic {
  return {
    name: "responses API, streamed",
    async run(ends) {
      const word = randomUUID();
      const body = { model: "sonnet", input: `Say exactly: ${word}`, stream: true, store: false };
      ends(judge(await send(url, { path: "/v1/responses", key: two, body }), word));
    },
  };
}

async function forget(url: string, key: string, session: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}` };
  await (await fetch(`${url}/v1/sessions/${session}`, { method: "DELETE", headers })).text();
}
