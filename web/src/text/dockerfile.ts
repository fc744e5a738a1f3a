/** Colours a Dockerfile: text in, tokens per line out. */

export type TokenKind = 'instruction' | 'keyword' | 'flag' | 'string' | 'variable' | 'comment' | 'operator' | 'plain';

export interface Token {
  kind: TokenKind;
  text: string;
}

const INSTRUCTION =
  /^(\s*)(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?=\s|$)/i;
const HEREDOC = /<<-?(["']?)([A-Za-z_][A-Za-z0-9_]*)\1/g;

/** Sticky patterns, tried in this order at each place inside an instruction. */
const PARTS: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', /"(?:\\.|[^"\\])*"|'[^']*'/y],
  ['variable', /\$\{[^}]*\}|\$[A-Za-z_][A-Za-z0-9_]*/y],
  ['flag', /--?[A-Za-z][A-Za-z0-9-]*(?:=[^\s"'\\]+)?/y],
  ['operator', /&&|\|\||\\$|[|;<>[\],=]/y],
  ['keyword', /\b(?:AS|NONE|CMD)\b/y],
  ['plain', /[^\s"'$\\|;<>[\],=&-]+|\s+|./y],
];

/** The tokens of each line; their texts joined are the line again. */
export function tokenise(text: string): Token[][] {
  const lines: Token[][] = [];
  let continued = false;
  const heredocs: string[] = [];

  for (const line of linesOf(text)) {
    const end = heredocs[0];
    if (end !== undefined) {
      if (line.trim() === end) heredocs.shift();
      lines.push([{ kind: line.trim() === end ? 'operator' : 'string', text: line }]);
      continue;
    }
    if (/^\s*#/.test(line)) {
      // A comment between continued lines does not end the instruction.
      lines.push([{ kind: 'comment', text: line }]);
      continue;
    }
    const tokens = continued ? parts(line, 0) : instruction(line);
    for (const match of line.matchAll(HEREDOC)) if (match[2]) heredocs.push(match[2]);
    continued = heredocs.length === 0 && /\\\s*$/.test(line);
    lines.push(tokens);
  }
  return lines;
}

/** The lines of a text; a final newline does not begin another one. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function instruction(line: string): Token[] {
  const match = INSTRUCTION.exec(line);
  if (!match) return parts(line, 0);
  const [whole, indent = '', name = ''] = match;
  const tokens: Token[] = indent ? [{ kind: 'plain', text: indent }] : [];
  tokens.push({ kind: 'instruction', text: name });
  return [...tokens, ...parts(line, whole.length)];
}

function parts(line: string, from: number): Token[] {
  const tokens: Token[] = [];
  let place = from;
  while (place < line.length) {
    const [kind, text] = partAt(line, place);
    const last = tokens.at(-1);
    if (last?.kind === kind && kind === 'plain') last.text += text;
    else tokens.push({ kind, text });
    place += text.length;
  }
  return tokens;
}

function partAt(line: string, place: number): [TokenKind, string] {
  const before = place === 0 ? ' ' : (line[place - 1] ?? ' ');
  for (const [kind, pattern] of PARTS) {
    // A dash inside a word (`python:3.11-slim`) begins no flag.
    if ((kind === 'flag' || kind === 'keyword') && !/\s/.test(before)) continue;
    pattern.lastIndex = place;
    const match = pattern.exec(line);
    if (match?.[0]) return [kind, match[0]];
  }
  return ['plain', line.slice(place)];
}
