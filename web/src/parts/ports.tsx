import type { PublishedPort } from '../api/types';

/** Where a container's ports are reached; each a link that opens beside the page. */
export function Ports({ ports }: { ports: readonly PublishedPort[] }) {
  return ports.map((port) => {
    // What listens on every address is reached by the name one came by.
    const host = port.address === '0.0.0.0' || port.address === '::' ? location.hostname : port.address;
    return (
      <a
        key={`${port.address}:${port.host}`}
        className="port"
        href={`http://${host}:${port.host}`}
        target="_blank"
        rel="noreferrer"
        title={`Port ${port.container} inside`}
      >
        {host}:{port.host}
        <span className="faint"> → {port.container}</span>
      </a>
    );
  });
}
