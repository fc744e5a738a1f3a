/** A project to walk the road with: a copy of the FastAPI example under a name of its own. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const example = new URL('../../examples/fastapi', import.meta.url).pathname;

/** What Ergon writes; the copy begins without. */
const written = ['ergon.json', 'ergon.lock.json', 'Dockerfile', '.dockerignore'];

export async function copyExample() {
  const parent = await mkdtemp(path.join(tmpdir(), 'ergon-road-project-'));
  const folder = path.join(parent, 'visitors');
  await cp(example, folder, { recursive: true });
  for (const name of written) await rm(path.join(folder, name), { force: true });

  // The container is called after the package: one that nobody else runs on this machine.
  const name = `road-${process.pid}`;
  const packageFile = path.join(folder, 'pyproject.toml');
  const text = await readFile(packageFile, 'utf8');
  await writeFile(packageFile, text.replace(/^name = .*$/m, `name = "${name}"`));

  return {
    folder,
    name,
    files: async () => (await readdir(folder)).sort(),
    read: (file) => readFile(path.join(folder, file), 'utf8'),
    write: (file, content) => writeFile(path.join(folder, file), content),
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}

/** One `docker` command; what it printed. */
export async function docker(...words) {
  const { stdout } = await run('docker', words);
  return stdout.trim();
}
