// Masks whatever looks like a secret in a text on its way to a log. It knows shapes alone: it holds no list of real secrets.
// The last net, not the first: nothing hands secrets here on purpose.

const mask = "[redacted]";

/** Shapes of secrets, from the most telling to the least. `$1` is what stays. */
const shapes: readonly (readonly [RegExp, string])[] = [
  // PEM blocks.
  [/-----BEGIN [A-Z ]*(?:KEY|CERTIFICATE)-----[\s\S]*?(?:-----END [A-Z ]*-----|$)/g, mask],
  // Names and passwords in addresses.
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${mask}@`],
  // `Authorization: Bearer …`, `Basic …`.
  [/\b(bearer|basic)(\s+)[\w.~+/=-]{6,}/gi, `$1$2${mask}`],
  // `token=…`, `"apiKey": "…"`, `X-Api-Key: …`.
  [
    /((?:api[-_ ]?key|access[-_ ]?key|token|secret|passw(?:or)?d|credential|authorization|cookie|session[-_ ]?key)["']?\s*[:=]\s*["']?)(?!\[redacted\])[^\s"',;&]{4,}/gi,
    `$1${mask}`,
  ],
  // Keys that say whose they are: Anthropic, OpenAI, Stripe, GitHub, Slack, Google, AWS.
  [/\b(?:sk|pk|rk)[-_][\w-]{8,}/g, mask],
  [/\b(?:gh[a-z]_|github_pat_|xox[a-z]-|glpat-|ya29\.|AIza|AKIA|ASIA)[\w.-]{8,}/g, mask],
  // JSON Web Tokens.
  [/\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, mask],
  // Anything long without a break that mixes letters and digits, as keys and hashes do.
  [
    /(?<![\w/.])(?=[\w+/=-]*[A-Za-z])(?=[\w+/=-]*\d)(?![\w-]{8}-[\w-]{4}-[\w-]{4}-[\w-]{4}-[\w-]{12}\b)[\w+=-]{32,}/g,
    mask,
  ],
];

/** The text with everything that looks like a secret masked. Doing it twice changes nothing more. */
export function redact(text: string): string {
  let masked = text;
  for (const [shape, replacement] of shapes) masked = masked.replace(shape, replacement);
  return masked;
}
