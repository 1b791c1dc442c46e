import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { startProgram } from '../../src/demo/programs.ts';
import { portOf } from '../support/gateway/gateway-rig.ts';
import { cli } from '../support/processes/terminal.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const entry = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

it('fails before it starts anything when a port is in use, and names the flag that chooses another', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '0.0.0.0', resolve));
  const port = portOf(taken.address());
  const { code, stdout, stderr } = await cli(['demo', `--port=${port}`]);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toContain(
    `port ${port} on 0.0.0.0, the gateway's listener, is in use: choose another with npm start -- --port <port>`,
  );
  await new Promise((resolve) => taken.close(resolve));
});

it('starts its programs without the environment variables of flags', {
  timeout: 30_000,
}, async () => {
  const logs = temporaryFolder();
  const environment = { ...process.env, GATEHOUSE_LOG_LEVEL: 'error', GATEHOUSE_ALLOW_PRIVATE_ADDRESSES: 'perhaps' };
  const source = { entry, logs, environment, unexpectedExit: () => undefined };
  const tool = startProgram(source, 'mcp-tool', ['--port=0']);
  expect(await tool.listening('mcp')).toMatch(/^127\.0\.0\.1:\d+$/);
  await tool.stop();
});
