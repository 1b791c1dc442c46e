import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/gateway/everything-server.ts';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { gatehouse } from '../support/processes/gatehouse-process.ts';
import { listens } from '../support/processes/guide-programs.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const timeout = 30_000;

describe('SIGUSR1', () => {
  it.each([
    ['serve', ['-f', '.', ...listens()], 'xds'],
    ['mcp-tool', ['--port=0'], 'mcp'],
  ] as const)('opens no debugger in %s', { timeout }, async (command, args, listener) => {
    await using program = gatehouse([command, ...args.map((arg) => (arg === '.' ? temporaryFolder() : arg))]);
    const address = await program.listening(listener);
    program.signal('SIGUSR1');
    // Node says so before it answers anybody else.
    for (let request = 0; request < 20; request += 1) await fetch(`http://${address}/`).catch(() => {});
    program.signal('SIGTERM');
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stderr()).not.toContain('Debugger');
  });
});

describe('SIGTERM', () => {
  it('stops a control plane whose API server has not answered yet, and a second one at once changes nothing', {
    timeout,
  }, async () => {
    const silent = createServer();
    onTestFinished(() => void silent.close());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const server = `http://127.0.0.1:${portOf(silent.address())}`;
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    };
    const file = join(temporaryFolder(), 'config');
    writeFileSync(file, JSON.stringify(config));
    await using program = gatehouse(['serve', `--kubeconfig=${file}`, ...listens()]);
    await Promise.all([program.listening('xds'), once(silent, 'connection')]);
    for (let twice = 0; twice < 2; twice += 1) program.signal('SIGTERM');
    expect(await program.ended()).toEqual({ code: 0, signal: null });
    expect(program.stderr()).toContain('"stopped"');
  });

  it('ends a program whose log nobody reads', { timeout }, async () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    // More than a pipe holds, and news of when it may be stopped.
    const prelude = `process.stderr.write('x'.repeat(1_000_000));
      const look = setInterval(() => {
        if (process.listenerCount('SIGTERM') === 0) return;
        clearInterval(look);
        process.stdout.write('ready');
      }, 10);
      await import(${JSON.stringify(main)});`;
    const program = spawn(process.execPath, ['--input-type=module', '-e', prelude, main, 'mcp-tool', '--port=0'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    await once(program.stdout, 'data');
    const exited = once(program, 'exit');
    program.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });

  it('ends a program whose log is on a full disk, which serves until then', { timeout }, async () => {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const port = await freePort();
    const program = spawn(process.execPath, [main, 'mcp-tool', `--port=${port}`], {
      stdio: ['ignore', 'ignore', full],
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    const status = (): Promise<number> =>
      fetch(`http://127.0.0.1:${port}/`).then(
        (response) => response.status,
        () => 0,
      );
    await expect.poll(status, { timeout }).toBe(404);
    const exited = once(program, 'exit');
    program.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
  });
});
