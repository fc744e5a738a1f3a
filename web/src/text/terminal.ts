// Escape sequences as terminals know them: colours, cursor moves, titles.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** A line of output as a page shows it: no escapes, and of a line rewritten in place only its last form. */
export function plainLine(line: string): string {
  const plain = line.replace(ESCAPES, '');
  const forms = plain.split('\r').filter(Boolean);
  return forms.at(-1) ?? '';
}
