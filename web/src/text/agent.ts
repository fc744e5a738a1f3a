/** What a browser says of itself, as people call it. */

// The order counts: each calls itself by the names of those before it, too.
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/Chrome\/|\bCriOS\/|\bChromium\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const systems: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

const first = (known: typeof browsers, agent: string) => known.find(([mark]) => mark.test(agent))?.[1];

/** `Firefox on Linux`; what it said where it is none of these. It is a claim: anybody can send any. */
export function agentWords(agent: string): string {
  const browser = first(browsers, agent);
  const system = first(systems, agent);
  if (browser && system) return `${browser} on ${system}`;
  if (browser) return browser;
  // A program's name and version come first.
  const [name = ''] = agent.trim().split(/\s/, 1);
  return name ? name.replace('/', ' ') : 'something that does not say what it is';
}
