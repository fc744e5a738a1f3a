/** Lines of measurements: where they run, and what is said of them. */
import type { HistoryMark, Series } from '../api/types';
import { bytes, count } from './format';

type Values = readonly (number | null)[];

/** Plots are drawn in this box and stretched to where they stand. */
export const PLOT = { width: 240, height: 60 } as const;

/** The top of the scale: the next round number above everything that is drawn. */
export function ceiling(values: Values, least: number): number {
  const most = Math.max(least, ...values.map((value) => value ?? 0));
  const magnitude = 10 ** Math.floor(Math.log10(most));
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= most) ?? 10;
  return step * magnitude;
}

/** A path through the values; it is interrupted where nothing was counted. */
export function path(values: Values, top: number): string {
  const across = values.length > 1 ? PLOT.width / (values.length - 1) : 0;
  let text = '';
  let drawing = false;
  values.forEach((value, at) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const [x, y] = [(at * across).toFixed(1), height(value, top).toFixed(1)];
    const alone = !drawing && (values[at + 1] ?? null) === null;
    // A single point is a line of no length, which a round cap makes visible.
    text += `${drawing ? 'L' : 'M'}${x} ${y}${alone ? `L${x} ${y}` : ''}`;
    drawing = true;
  });
  return text;
}

/** Where a value is drawn, from the top. */
export function height(value: number, top: number): number {
  return PLOT.height * (1 - Math.min(Math.max(value / top, 0), 1));
}

/** Where a moment is drawn, from the left, between 0 and 1. */
export function place(time: string, since: string, until: string): number {
  const [at, from, to] = [time, since, until].map((moment) => new Date(moment).getTime()) as [number, number, number];
  return to > from ? Math.min(Math.max((at - from) / (to - from), 0), 1) : 1;
}

/** A value with its unit. */
export function shown(value: number, unit: string): string {
  switch (unit) {
    case 'bytes':
      return bytes(value);
    case 'bytes per second':
      return `${bytes(value)}/s`;
    case 'percent':
      return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} %`;
    default:
      return String(Math.round(value));
  }
}

/** The last value that was counted. */
export function latest(values: Values): number | null {
  return values.findLast((value) => value !== null) ?? null;
}

/** A plot in words, for those who cannot see it. */
export function described(series: readonly Series[], marks: readonly HistoryMark[]): string {
  const lines = series.map((line) => {
    const now = latest(line.values);
    if (now === null) return `${line.metric}: nothing was counted`;
    const counted = [...line.values, ...(line.peaks ?? [])].filter((value) => value !== null);
    return `${line.metric}: ${shown(now, line.unit)} now, ${shown(Math.max(...counted), line.unit)} at most`;
  });
  if (marks.length) lines.push(count(marks.length, 'mark'));
  return lines.join('; ');
}

/** What happened at a mark. */
export function happened(mark: HistoryMark): string {
  switch (mark.kind) {
    case 'started':
      return 'started';
    case 'died':
      return `ended with code ${mark.exit_code ?? '?'}`;
    case 'out-of-memory':
      return 'ran out of memory';
    case 'deployed':
      return 'was deployed anew';
    default:
      return mark.kind;
  }
}
