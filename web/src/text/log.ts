/** What is told of a kind of log line. */
import type { LogTemplate } from '../api/types';
import type { Sign } from './signs';

const levelSigns: Record<string, Sign> = { fatal: 'bad', error: 'bad', warning: 'warn' };

export const levelSign = (level: string): Sign => levelSigns[level] ?? 'off';

/** `2.8 a minute, before 20`; rates come in hundredths. */
export function perMinute(template: Pick<LogTemplate, 'per_minute' | 'per_minute_before'>): string {
  const now = `${rate(template.per_minute)} a minute`;
  return template.per_minute_before == null ? now : `${now}, before ${rate(template.per_minute_before)}`;
}

function rate(hundredths: number): string {
  return hundredths < 1000 ? (Math.floor(hundredths / 10) / 10).toString() : Math.floor(hundredths / 100).toString();
}
