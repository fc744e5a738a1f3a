import { type CSSProperties, useMemo, useState } from 'react';
import { Link } from 'wouter';

import { SignMark } from '../parts/lamp';
import { NODE_EDGE, type Picture, type PictureNode, related, strokes } from '../text/picture';

/** What came from what, from source to running containers. Pointing at one thing shows what it hangs together with. */
export function LineagePicture({ picture, label }: { picture: Picture; label: string }) {
  const [near, setNear] = useState<string | null>(null);
  const lines = useMemo(() => strokes(picture), [picture]);
  const close = useMemo(() => (near === null ? null : related(picture, near)), [picture, near]);
  const tallest = Math.max(...picture.columns.map(({ nodes }) => nodes.length));
  const sizes = { '--columns': picture.columns.length, '--tallest': tallest, '--edge-part': `${NODE_EDGE * 100}%` };
  return (
    <figure className="picture" aria-label={label} style={sizes as CSSProperties}>
      <svg className="picture-lines" viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
        {lines.map(({ key, from, to, path }) => (
          <path key={key} d={path} data-near={close ? close.has(from) && close.has(to) : undefined} />
        ))}
      </svg>
      <ol className="picture-columns">
        {picture.columns.map((column) => (
          <li key={column.title} className="picture-column">
            <span className="picture-title">{column.title}</span>
            <ul className="picture-nodes">
              {column.nodes.map((node) => (
                <li
                  key={node.id}
                  className="picture-place"
                  onPointerEnter={() => setNear(node.id)}
                  onPointerLeave={() => setNear(null)}
                  onFocus={() => setNear(node.id)}
                  onBlur={() => setNear(null)}
                >
                  <Node node={node} far={close !== null && !close.has(node.id)} />
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </figure>
  );
}

function Node({ node, far }: { node: PictureNode; far: boolean }) {
  const { kind, title, code, detail, href, sign, faint = false } = node;
  const name = code ? <code title={title}>{title}</code> : <span title={title}>{title}</span>;
  const inside = (
    <>
      {kind && <span className="picture-kind one-line">{kind}</span>}
      <span className="picture-name one-line">
        {sign && <SignMark sign={sign} />}
        {name}
      </span>
      {detail && (
        <span className="picture-detail one-line" title={detail}>
          {detail}
        </span>
      )}
    </>
  );
  return href ? (
    <Link href={href} className="picture-node" data-far={far}>
      {inside}
    </Link>
  ) : (
    <span className="picture-node" data-far={far} data-faint={faint}>
      {inside}
    </span>
  );
}
