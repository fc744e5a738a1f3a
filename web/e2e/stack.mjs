/** A stack of its own for one test: its own data, configuration and port; the cache is the machine's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

const READY_MS = 20_000;

/** Starts `ergon up` and waits for the link it prints. */
export async function startStack() {
  const binary = process.env.ERGON_BINARY;
  if (!binary) throw new Error('Set ERGON_BINARY to the ergon that is to be tested, for example target/debug/ergon');
  const folder = await mkdtemp(path.join(tmpdir(), 'ergon-road-'));
  for (const each of ['config', 'data', 'state']) await mkdir(path.join(folder, each));

  const child = spawn(
    path.resolve(binary),
    ['up', '--listen', '127.0.0.1:0', '--data', path.join(folder, 'data', 'stack')],
    {
      env: {
        ...process.env,
        XDG_CONFIG_HOME: path.join(folder, 'config'),
        XDG_DATA_HOME: path.join(folder, 'data'),
        XDG_STATE_HOME: path.join(folder, 'state'),
        // Shared, so that bases and steps which are there already are not made again.
        XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output = [];
  child.stderr.on('data', (chunk) => output.push(String(chunk)));
  const exited = once(child, 'exit').then(([code]) => code);

  const link = await new Promise((resolve, reject) => {
    const tooLate = setTimeout(() => reject(new Error(`no link within ${READY_MS} ms:\n${output.join('')}`)), READY_MS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      output.push(`${line}\n`);
      const found = /https?:\/\/\S+#code=\S+/.exec(line);
      if (!found) return;
      clearTimeout(tooLate);
      resolve(found[0]);
    });
    void exited.then((code) => reject(new Error(`ergon up ended with ${code}:\n${output.join('')}`)));
  });

  return {
    link,
    folder,
    output: () => output.join(''),
    /** Asks it to drain; its exit code. */
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
