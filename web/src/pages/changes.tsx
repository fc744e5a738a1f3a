import { Link } from 'wouter';

import type { BuildChanges, ImageChange, InputChange } from '../api/types';
import { Panel } from '../parts/page';
import { Ago } from '../parts/time';
import { bytes, count, shortDigest, shortenDigests } from '../text/format';
import { plainLine } from '../text/terminal';

/** What is not as it was in the build before. */
export function Changes({ changes }: { changes: BuildChanges }) {
  return (
    <Panel
      title="What changed"
      aside={
        <>
          since{' '}
          <Link href={`/builds/${encodeURIComponent(changes.before)}`}>
            <code>{shortDigest(changes.before)}</code>
          </Link>
          , <Ago time={changes.before_started_at} />
        </>
      }
    >
      <div className="stack">
        {changes.inputs.length > 0 ? (
          <InputTable inputs={changes.inputs} />
        ) : (
          <p className="soft">Nothing that it was made of.</p>
        )}
        <ul className="stack">
          {changes.images.map((image) => (
            <li key={image.container}>
              <ImageLine image={image} />
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}

function InputTable({ inputs }: { inputs: readonly InputChange[] }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Inputs that changed">
      <table className="table" data-folds="true">
        <thead>
          <tr>
            <th scope="col">Input</th>
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>
          {inputs.map(({ what, before, after }) => (
            <tr key={what}>
              <th scope="row">{plainLine(what)}</th>
              <td data-column="before">
                <Value text={before} what={what} />
              </td>
              <td data-column="now">
                <Value text={after} what={what} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Value({ text, what }: { text: string | null | undefined; what: string }) {
  if (text == null) return <span className="soft">none</span>;
  if (what === 'commit') {
    const [commit = '', ...changed] = text.split(' ');
    return (
      <>
        <Link href={`/registry/${encodeURIComponent(commit)}`}>
          <code>{shortDigest(commit)}</code>
        </Link>{' '}
        {changed.join(' ')}
      </>
    );
  }
  return (
    <code className="change-value" title={text}>
      {shortenDigests(plainLine(text))}
    </code>
  );
}

function ImageLine({ image }: { image: ImageChange }) {
  const { container, before, after, layers, new_layers: fresh } = image;
  if (!after) return <p>The image of {container} is not there any more.</p>;
  if (!before) return <p>The image of {container} was not there before.</p>;
  if (before === after) return <p>The image of {container} is the same, bit for bit.</p>;
  return (
    <>
      <p>
        Of the {count(layers, 'layer')} of {container}, {fresh.length === 1 ? '1 is' : `${fresh.length} are`} new;{' '}
        {bytes(image.size_before ?? 0)} became {bytes(image.size_after ?? 0)}.
      </p>
      <ul className="bullets">
        {fresh.map((layer) => (
          <li key={layer.digest}>
            layer {layer.layer}, {bytes(layer.size)}
            {layer.step && (
              <>
                : <code className="change-value">{plainLine(layer.step)}</code>
              </>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
