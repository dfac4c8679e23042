import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { conditions } from "../../../src/observe/alerts/conditions.ts";
import { root } from "../../helpers/tracked-files.ts";

it("every kind of alert has its paragraph in the runbook, and every paragraph is of a kind (D2)", () => {
  const text = readFileSync(join(root, "docs/operations.md"), "utf8");
  const documented = [...text.matchAll(/^### `([a-z_]+)`$/gm)].map(([, kind]) => kind);
  expect(documented).toEqual(Object.keys(conditions));
});
