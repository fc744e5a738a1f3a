import type { ReactNode } from 'react';
import { Link } from 'wouter';

import type { Build, Project } from '../api/types';
import { shortDigest } from '../text/format';

interface ChainProps {
  project?: Pick<Project, 'id' | 'name'> | undefined;
  build?: Build | undefined;
  buildHash?: string | null | undefined;
  container?: string | null | undefined;
  /** Whether more may still come. */
  live?: boolean;
}

/** The chain of evidence: what came from what, each link a page. Links not known yet keep their places. */
export function Chain({ project, build, buildHash, container, live = false }: ChainProps) {
  const hash = build?.build_hash ?? buildHash;
  const image = build?.images[0];
  const running = container ?? build?.containers[0]?.name;
  return (
    <ol className="chain" aria-label="Chain of evidence">
      <ChainLink live={live} title="Source" href={project && `/projects/${encodeURIComponent(project.id)}`}>
        {build ? shortDigest(build.source_digest) : project?.name}
      </ChainLink>
      <ChainLink live={live} title="Manifest" href={build && `/manifests/${encodeURIComponent(build.manifest_digest)}`}>
        {build && shortDigest(build.manifest_digest)}
      </ChainLink>
      <ChainLink live={live} title="Build" href={hash ? `/builds/${encodeURIComponent(hash)}` : undefined}>
        {hash && shortDigest(hash)}
      </ChainLink>
      <ChainLink live={live} title="Image" href={image && `/registry/${encodeURIComponent(image.image_digest)}`}>
        {image && shortDigest(image.image_digest)}
      </ChainLink>
      <ChainLink
        live={live}
        title="Container"
        href={running ? `/containers/${encodeURIComponent(running)}` : undefined}
      >
        {running}
      </ChainLink>
    </ol>
  );
}

interface ChainLinkProps {
  title: string;
  href?: string | undefined;
  live: boolean;
  children: ReactNode;
}

function ChainLink({ title, href, live, children }: ChainLinkProps) {
  const value = children ? (
    <code className="one-line">{children}</code>
  ) : (
    <span className="faint">{live ? 'not yet' : 'none'}</span>
  );
  return (
    <li className="chain-link" data-known={Boolean(children)}>
      <span className="chain-title">{title}</span>
      {href && children ? (
        <Link href={href} className="one-line">
          {value}
        </Link>
      ) : (
        value
      )}
    </li>
  );
}
