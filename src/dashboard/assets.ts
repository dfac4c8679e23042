// The files of the dashboard's page, read once: ours beside this file, and the plotting library from its package.
// The page is static; what it shows it asks for after the operator has logged in.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** One file. */
export interface Asset {
  readonly type: string;
  readonly body: string;
  /** Changes with the content, in quotes as the header has it. */
  readonly etag: string;
}

const script = "text/javascript; charset=utf-8";
const style = "text/css; charset=utf-8";

/** Path below /dashboard/files/ → where its file is, and what kind it is. */
const files: Readonly<Record<string, readonly [location: string, type: string]>> = {
  "index.html": [own("index.html"), "text/html; charset=utf-8"],
  "style.css": [own("style.css"), style],
  "api.js": [own("api.js"), script],
  "app.js": [own("app.js"), script],
  "chat.js": [own("chat.js"), script],
  "dom.js": [own("dom.js"), script],
  "log.js": [own("log.js"), script],
  "plot.js": [own("plot.js"), script],
  "plots.js": [own("plots.js"), script],
  "sessions.js": [own("sessions.js"), script],
  "state.js": [own("state.js"), script],
  "timeline.js": [own("timeline.js"), script],
  "usage.js": [own("usage.js"), script],
  "uplot.css": [import.meta.resolve("uplot/dist/uPlot.min.css"), style],
  "uplot.js": [import.meta.resolve("uplot/dist/uPlot.esm.js"), script],
};

/**
 * What the page may do: run and show what this server serves, ask this server, and nothing else.
 * Plots are drawn on a canvas; the library sets styles by script, which `style-src` does not concern.
 */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Reads them all. @throws where the installation is not whole */
export function loadAssets(): ReadonlyMap<string, Asset> {
  return new Map(
    Object.entries(files).map(([name, [location, type]]) => {
      const body = readFileSync(new URL(location), "utf8");
      return [name, { type, body, etag: `"${createHash("sha256").update(body).digest("base64url")}"` }];
    }),
  );
}

function own(name: string): string {
  return new URL(`./page/${name}`, import.meta.url).href;
}
