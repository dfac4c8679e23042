// The page at /docs: the OpenAPI document as plain HTML. No script and nothing from elsewhere, so it works without the internet,
// and its policy lets nothing run. What opens and closes is the browser's own, by keyboard too.
import { createHash } from "node:crypto";
import type { ApiDocument, Operation } from "./openapi.ts";

const style = `:root{color-scheme:light dark;--line:light-dark(#ccc,#444);--soft:light-dark(#f4f4f2,#1f1f1f);--mark:light-dark(#8a3b12,#f0a070)}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;background:light-dark(#fff,#141414);color:light-dark(#1a1a1a,#e8e8e8)}
h2{margin-top:2.5rem}details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.5rem .8rem}
summary{cursor:pointer}summary:focus-visible,a:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:var(--soft);padding:.8rem;overflow:auto;max-height:30rem}
.method{color:var(--mark);font-weight:700;text-transform:uppercase}table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}a{color:inherit}`;

/** Lets the page's own style apply, and nothing else happen. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The whole page. */
export function renderDocs({ info, paths, components }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => renderOperation(method, path, operation)),
  );
  const schemas = Object.entries(components?.schemas ?? {}).map(
    ([name, schema]) =>
      `<details id="schema-${escape(name)}"><summary><code>${escape(name)}</code></summary>${json(schema)}</details>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(info.title)} ${escape(info.version)}</title><style>${style}</style></head>
<body><main><h1>${escape(info.title)} ${escape(info.version)}</h1><p>${escape(info.description ?? "")}
The same for programs: <a href="openapi.json">openapi.json</a>. A key goes into <code>Authorization: Bearer</code> or <code>x-api-key</code>.</p>
<h2>Operations</h2>${operations.join("\n")}
<h2>Schemas</h2>${schemas.join("\n")}
</main></body></html>
`;
}

function renderOperation(method: string, path: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map(
    ({ name, in: place, description = "" }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(place)}</td><td>${escape(description)}</td></tr>`,
  );
  const body = Object.values(operation.requestBody?.content ?? {})[0];
  const responses = Object.entries(operation.responses).map(
    ([status, { description, content = {} }]) =>
      `<details><summary><code>${escape(status)}</code> ${escape(description)}</summary>${Object.entries(content)
        .map(([type, { schema }]) => `<p><code>${escape(type)}</code></p>${json(schema)}`)
        .join("")}</details>`,
  );
  return `<details><summary><code><span class="method">${escape(method)}</span> ${escape(path)}</code> ${escape(operation.summary ?? "")}</summary>
${parameters.length === 0 ? "" : `<h3>Parameters</h3><table>${parameters.join("")}</table>`}
${body === undefined ? "" : `<h3>Body</h3>${json(body.example)}<details><summary>Schema</summary>${json(body.schema)}</details>`}
<h3>Answers</h3>${responses.join("")}</details>`;
}

function json(value: unknown): string {
  return `<pre tabindex="0">${escape(JSON.stringify(value, null, 2))}</pre>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
