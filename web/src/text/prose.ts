/** A companion's text in pieces: plain words, `code`, and citations like [1]. */
export type Piece =
  { kind: 'text'; text: string } | { kind: 'code'; text: string } | { kind: 'citation'; number: number };

/** Splits a text; a citation counts only where evidence of that number exists. */
export function pieces(text: string, evidence: ReadonlySet<number>): Piece[] {
  const found: Piece[] = [];
  const plain = (part: string) => {
    if (part) found.push({ kind: 'text', text: part });
  };
  let from = 0;
  for (const match of text.matchAll(/`([^`\n]+)`|\[(\d{1,4})\]/g)) {
    const [whole, code, digits] = match;
    const number = Number(digits);
    if (code === undefined && !evidence.has(number)) continue;
    plain(text.slice(from, match.index));
    found.push(code === undefined ? { kind: 'citation', number } : { kind: 'code', text: code });
    from = match.index + whole.length;
  }
  plain(text.slice(from));
  return found;
}
