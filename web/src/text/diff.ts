import { diffLines } from 'diff';

import { linesOf } from './dockerfile';

/** One row of a unified diff; line numbers count from 1. */
export interface DiffRow {
  kind: 'same' | 'removed' | 'added';
  text: string;
  before?: number;
  after?: number;
}

/** Both texts as one column: what went is above what came in its place. */
export function diffRows(before: string, after: string): DiffRow[] {
  const rows: DiffRow[] = [];
  let beforeLine = 0;
  let afterLine = 0;
  for (const change of diffLines(withNewline(before), withNewline(after))) {
    for (const text of linesOf(change.value)) {
      if (change.removed) rows.push({ kind: 'removed', text, before: ++beforeLine });
      else if (change.added) rows.push({ kind: 'added', text, after: ++afterLine });
      else rows.push({ kind: 'same', text, before: ++beforeLine, after: ++afterLine });
    }
  }
  return rows;
}

/** How many lines went and came. */
export function diffCounts(rows: readonly DiffRow[]): { added: number; removed: number } {
  return {
    added: rows.filter((row) => row.kind === 'added').length,
    removed: rows.filter((row) => row.kind === 'removed').length,
  };
}

/** A missing newline at the end is no change worth showing. */
function withNewline(text: string): string {
  const lines = text.replaceAll('\r\n', '\n');
  return lines === '' || lines.endsWith('\n') ? lines : `${lines}\n`;
}
