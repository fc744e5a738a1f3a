/** What the manifest says a container should be, beside what it is. */
import type { Build, Container } from '../api/types';
import { shortDigest } from './format';

export interface Comparison {
  what: string;
  meant: string;
  actual: string;
  /** Whether they agree; null: nothing to hold against each other. */
  agrees: boolean | null;
}

interface PlannedContainer {
  base_image?: string;
  ports?: number[];
  applications?: string[];
}

interface PlannedApplication {
  ports?: number[];
  run_command?: string;
}

interface Planned {
  containers?: Record<string, PlannedContainer>;
  applications?: Record<string, PlannedApplication>;
}

/** One row for each thing that can be compared, in the order people ask. */
export function meantVersusIs(build: Build, container: Container): Comparison[] {
  const image = build.images.find((made) => made.image_digest === container.image_digest) ?? build.images[0];
  const manifest = build.manifest as Planned;
  const planned = image ? manifest.containers?.[image.container] : undefined;
  const applications = (planned?.applications ?? []).map((name) => manifest.applications?.[name]);
  const isRunning = container.state === 'running';
  const rows: Comparison[] = [];

  if (image) {
    rows.push({
      what: 'Image',
      meant: shortDigest(image.image_digest),
      actual: container.image_digest ? shortDigest(container.image_digest) : 'unknown',
      agrees: container.image_digest ? image.image_digest === container.image_digest : null,
    });
  }
  const commands = applications.flatMap((application) => application?.run_command ?? []);
  if (commands.length) {
    const running = container.services.map((service) => service.command);
    rows.push({
      what: 'Runs',
      meant: commands.join(', '),
      actual: running.join(', ') || 'nothing',
      // Interpreters and wrappers change how a command looks; only its absence is certain.
      agrees: running.length || !isRunning ? null : false,
    });
  }
  const ports = unique([...(planned?.ports ?? []), ...applications.flatMap((application) => application?.ports ?? [])]);
  if (ports.length) {
    const open = unique([
      ...container.ports.map((port) => port.container),
      ...container.services.flatMap((service) => service.ports),
    ]);
    rows.push({
      what: 'Ports',
      meant: ports.join(', '),
      actual: open.join(', ') || 'none',
      agrees: isRunning ? ports.every((port) => open.includes(port)) : null,
    });
  }
  return rows;
}

const unique = (numbers: number[]): number[] => [...new Set(numbers)].sort((left, right) => left - right);
