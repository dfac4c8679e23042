// Reads from a source file's syntax tree what it imports, by every way there is, and which of the process's own
// surroundings it touches. Judges nothing: that is architecture.ts.
import { parseSync } from "oxc-parser";

/** One way in which a file names another module. */
export interface Import {
  /** The module as written; `undefined` where it is computed at run time. */
  readonly specifier: string | undefined;
  /** Gone when the types are stripped. */
  readonly isTypeOnly: boolean;
}

/** What one file does that the layers care about. */
export interface Facts {
  readonly imports: readonly Import[];
  readonly hasDefaultExport: boolean;
  /** `env`, `stdout`, `stderr` where taken from `process`; `console` where used. */
  readonly globals: ReadonlySet<string>;
}

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const watchedGlobals = ["env", "stdout", "stderr"];

/**
 * Parses one TypeScript file.
 *
 * @throws Error where the file cannot be parsed: a file that nobody could read must not count as clean.
 */
export function readFacts(path: string, text: string): Facts {
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
  const imports: Import[] = [];
  const globals = new Set<string>();
  const requires = new Set(["require"]);
  let hasDefaultExport = false;
  const add = (source: unknown, forTypes = false): void => {
    imports.push({ specifier: toLiteral(source), isTypeOnly: forTypes });
  };

  for (const node of walk(program)) {
    switch (node.type) {
      case "ImportDeclaration":
        add(node["source"], isTypeOnly(node, "importKind"));
        break;
      case "ExportAllDeclaration":
        add(node["source"], node["exportKind"] === "type");
        break;
      case "ExportNamedDeclaration":
        if (isNode(node["source"])) add(node["source"], isTypeOnly(node, "exportKind"));
        if (toNodes(node["specifiers"]).some((entry) => nameOf(entry["exported"]) === "default"))
          hasDefaultExport = true;
        break;
      case "ExportDefaultDeclaration":
      case "TSExportAssignment":
        hasDefaultExport = true;
        break;
      case "ImportExpression":
        add(node["source"]);
        break;
      case "TSImportType":
        add(node["source"] ?? node["argument"], true);
        break;
      case "TSExternalModuleReference":
        add(node["expression"]);
        break;
      case "VariableDeclarator":
        if (isCallOf(node["init"], "createRequire")) requires.add(nameOf(node["id"]) ?? "");
        if (nameOf(node["init"]) === "process") addDestructured(node["id"], globals);
        break;
      case "CallExpression":
        if (namesModule(node["callee"], requires)) add(toNodes(node["arguments"])[0]);
        break;
      case "NewExpression": {
        // new URL("./neighbour.ts", import.meta.url): how a file is handed to another process. Data is no import.
        const [target, base] = toNodes(node["arguments"]);
        if (nameOf(node["callee"]) === "URL" && isImportMeta(base)) {
          const specifier = toCodeUrl(target);
          if (specifier !== undefined) imports.push({ specifier, isTypeOnly: false });
        }
        break;
      }
      case "MemberExpression": {
        const property = nameOf(node["property"]) ?? toLiteral(node["property"]) ?? "";
        const object = node["object"];
        const isProcess = nameOf(object) === "process" || (isNode(object) && nameOf(object["property"]) === "process");
        if (isProcess && watchedGlobals.includes(property)) globals.add(property);
        if (nameOf(object) === "console") globals.add("console");
        break;
      }
    }
  }
  return { imports, hasDefaultExport, globals };
}

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) for (const entry of value) yield* walk(entry);
  else if (isNode(value)) {
    yield value;
    for (const child of Object.values(value)) if (typeof child === "object") yield* walk(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

function toNodes(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter((entry) => isNode(entry)) : [];
}

function nameOf(value: unknown): string | undefined {
  return isNode(value) && value.type === "Identifier" ? String(value["name"]) : undefined;
}

function toLiteral(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Literal" && typeof value["value"] === "string") return value["value"];
  if (value.type === "TSLiteralType") return toLiteral(value["literal"]);
  const [quasi, ...more] = toNodes(value["quasis"]);
  if (value.type === "TemplateLiteral" && quasi !== undefined && more.length === 0) {
    return (quasi["value"] as { cooked: string }).cooked; // A template without a hole has one cooked string.
  }
  return undefined;
}

/** A file of code named by its URL, also where only its suffix is computed: `./watchdog${extension}`. */
function toCodeUrl(target: unknown): string | undefined {
  const literal = toLiteral(target);
  if (literal !== undefined) return /\.[cm]?[jt]s$/.test(literal) ? literal : undefined;
  const [quasi] = isNode(target) ? toNodes(target["quasis"]) : [];
  const head = (quasi?.["value"] as { cooked: string } | undefined)?.cooked; // Of a template: its text up to the first hole.
  return head?.startsWith(".") === true ? head : undefined;
}

function isTypeOnly(node: Node, kind: "importKind" | "exportKind"): boolean {
  const specifiers = toNodes(node["specifiers"]);
  return node[kind] === "type" || (specifiers.length > 0 && specifiers.every((entry) => entry[kind] === "type"));
}

function isImportMeta(value: unknown): boolean {
  if (!isNode(value)) return false;
  return value.type === "MetaProperty" || isImportMeta(value["object"]);
}

function isCallOf(value: unknown, name: string): boolean {
  if (!isNode(value) || value.type !== "CallExpression") return false;
  const callee = value["callee"];
  return nameOf(callee) === name || (isNode(callee) && nameOf(callee["property"]) === name);
}

/** `require(…)`, `require.resolve(…)`, `createRequire(…)(…)`, `import.meta.resolve(…)`, `process.getBuiltinModule(…)`. */
function namesModule(callee: unknown, requires: ReadonlySet<string>): boolean {
  if (isCallOf(callee, "createRequire") || requires.has(nameOf(callee) ?? "")) return true;
  if (!isNode(callee) || callee.type !== "MemberExpression") return false;
  const property = nameOf(callee["property"]);
  if (property === "getBuiltinModule") return true;
  const owner = callee["object"];
  const loads = requires.has(nameOf(owner) ?? "") || isImportMeta(owner) || isCallOf(owner, "createRequire");
  return loads && property === "resolve";
}

function addDestructured(pattern: unknown, globals: Set<string>): void {
  if (!isNode(pattern)) return;
  for (const property of toNodes(pattern["properties"])) {
    const name = nameOf(property["key"]) ?? "";
    if (watchedGlobals.includes(name)) globals.add(name);
  }
}
