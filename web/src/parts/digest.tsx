import { useEffect, useState } from 'react';
import { Link } from 'wouter';

import { shortDigest } from '../text/format';
import { Icon } from './icon';

/** Puts a text into the clipboard and says so. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);

  const label = copied ? 'Copied' : `Copy ${what}`;
  return (
    <button
      type="button"
      className="copy"
      data-done={copied}
      aria-label={label}
      title={label}
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <Icon name={copied ? 'check' : 'copy'} size={14} />
    </button>
  );
}

interface DigestProps {
  value: string;
  /** What it is the digest of, for the copy button. */
  what: string;
  href?: string | undefined;
  full?: boolean;
}

/** A digest, short or whole, that can be followed and copied. */
export function Digest({ value, what, href, full = false }: DigestProps) {
  const code = <code title={value}>{full ? value : shortDigest(value)}</code>;
  return (
    <span className="digest">
      {href ? <Link href={href}>{code}</Link> : code}
      <CopyButton text={value} what={what} />
    </span>
  );
}
