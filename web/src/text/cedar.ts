/** Texts of policies as they are coloured, and what their schema names. */

export interface CedarPiece {
  kind: 'comment' | 'string' | 'keyword' | 'variable' | 'annotation' | 'text';
  text: string;
}

const effects = new Set(['permit', 'forbid', 'when', 'unless', 'in', 'is', 'has', 'like', 'if', 'then', 'else']);
const variables = new Set(['principal', 'action', 'resource', 'context', 'true', 'false']);

// A string that is not closed goes to the end of its line: it is being written.
const token = /\/\/.*|"(?:\\.|[^"\\])*"?|@[A-Za-z_]\w*|[A-Za-z_]\w*|[^\w"/@]+|./g;

/** A text, line by line; nothing in it has a meaning over the end of a line. */
export function cedarLines(text: string): CedarPiece[][] {
  return text
    .split('\n')
    .map((line) => (line.match(token) ?? []).map((piece) => ({ kind: kindOf(piece), text: piece })));
}

function kindOf(piece: string): CedarPiece['kind'] {
  if (piece.startsWith('//')) return 'comment';
  if (piece.startsWith('"')) return 'string';
  if (piece.startsWith('@')) return 'annotation';
  if (effects.has(piece)) return 'keyword';
  if (variables.has(piece)) return 'variable';
  return 'text';
}

export interface KnownAction {
  name: string;
  /** The kind of thing it is done to. */
  kind: string;
}

/** The actions a schema speaks of, by name; groups of actions are none. */
export function actionsIn(schema: string): KnownAction[] {
  const found = schema.matchAll(
    /^\s*action\s+"?(\w+)"?\s+in\s+\[[^\]]*\]\s+appliesTo\s*\{[^}]*resource:\s*\[?\s*(\w+)/gm,
  );
  return [...found]
    .map(([, name = '', kind = '']) => ({ name, kind }))
    .sort((one, other) => one.name.localeCompare(other.name));
}

/** A fault without the number that the checker gives a policy: the line says which it is. */
export const faultWords = (message: string): string => message.replace(/^for policy `policy\d+`, /, '');

/** Where in a text a line and a column are, both from 1; its end where it has no such place. */
export function placeIn(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, Math.max(0, line - 1)).reduce((sum, each) => sum + each.length + 1, 0);
  return Math.min(text.length, before + Math.max(0, column - 1));
}
