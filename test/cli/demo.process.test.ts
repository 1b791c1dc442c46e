import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { type ProgramSource, startProgram } from '../../src/demo/programs.ts';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { cli } from '../support/processes/terminal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it('fails before it starts anything when a port is in use, and names the flags that choose others', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const port = portOf(taken.address());
  const { code, stdout, stderr } = await cli(['demo', '--ports=0', `--port=${port}`]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toBe(
    `gatehouse: 127.0.0.1:${port} (the gateway's listener) is in use: ` +
      'use --ports 0 for free ports, or --ports <first of six>.\n',
  );
  await new Promise((resolve) => taken.close(resolve));
});

it('says of an address of another machine that it is one, and not that it is in use', async () => {
  const { code, stdout, stderr } = await cli(['demo', '--ports=0', '--host=192.0.2.1']);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toBe(
    "gatehouse: cannot listen on 192.0.2.1:0 for the gateway's listener: the address is not one of this machine.\n",
  );
});

it('runs side by side with another one on free ports, and names the folder of the logs last', {
  timeout: 120_000,
}, async () => {
  const demos = await Promise.all([cli(['demo', '--once', '--ports=0']), cli(['demo', '--once', '--ports=0'])]);
  for (const { code, stdout, stderr } of demos) {
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('The same call is ALLOWED');
    const logs = /The logs of the programs are in (\S+)\n$/.exec(stdout)?.[1] ?? '';
    expect(readdirSync(logs).toSorted()).toEqual(['gateway.log', 'mcp-tool.log', 'serve.log']);
    for (const log of readdirSync(logs)) expect(readFileSync(join(logs, log), 'utf8')).not.toContain('0.0.0.0:');
    rmSync(dirname(logs), { recursive: true });
  }
});

it('leaves no program behind when it is killed', { timeout: 120_000 }, async () => {
  const folder = temporaryFolder();
  const script = join(folder, 'parent.ts');
  const programs = new URL('../../src/demo/programs.ts', import.meta.url).href;
  writeFileSync(
    script,
    `import { startProgram } from ${JSON.stringify(programs)};
    const [entry, logs] = process.argv.slice(2);
    const source = { program: [process.execPath, entry], logs, environment: process.env, unexpectedExit: () => {} };
    console.log(await startProgram(source, 'mcp-tool', ['--port=0']).listening('mcp'));`,
  );
  const parent = spawn(process.execPath, [script, entry, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [printed]: Buffer[] = await once(parent.stdout, 'data');
  const { port } = new URL(`http://${String(printed).trim()}`);
  const connection = connect(Number(port), '127.0.0.1');
  await once(connection, 'connect');
  parent.kill('SIGKILL');
  // The program closes its connections when it stops.
  await once(connection, 'close');
});

it('fails when it is stopped before the end of a story that was all it was to do', { timeout: 60_000 }, async () => {
  const demo = spawn(process.execPath, [entry, 'demo', '--once', '--ports=0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const errors: string[] = [];
  demo.stderr.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  await once(demo.stdout, 'data');
  demo.kill('SIGINT');
  expect(await once(demo, 'close')).toEqual([3, null]);
  expect(errors.join('')).toContain('gatehouse: stopped before the end of the story.\n');
});

it('starts its programs without the environment variables of flags', {
  timeout: 30_000,
}, async () => {
  const logs = temporaryFolder();
  const environment = { ...process.env, GATEHOUSE_LOG_LEVEL: 'error', GATEHOUSE_ALLOW_PRIVATE_ADDRESSES: 'perhaps' };
  const source: ProgramSource = {
    program: [process.execPath, entry],
    logs,
    environment,
    unexpectedExit: () => undefined,
  };
  const tool = startProgram(source, 'mcp-tool', ['--port=0']);
  expect(await tool.listening('mcp')).toMatch(/^127\.0\.0\.1:\d+$/);
  await tool.stop();
});

it('says in one sentence that its folder cannot be written', async () => {
  vi.stubEnv('TMPDIR', '/nonexistent');
  onTestFinished(() => void vi.unstubAllEnvs());
  const { code, stderr } = await cli(['demo', '--once', '--ports=0']);
  expect(code).toBe(3);
  expect(stderr).toMatch(
    /^gatehouse: the demo keeps its files and logs in .*Set TMPDIR to a folder that can be written\.\n$/,
  );
});
