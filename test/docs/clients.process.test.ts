import { expect, it } from 'vitest';
import { asJsonObject, type JsonObject, objectIn, textIn } from '../../src/json/json.ts';
import { executedBlocks, pageText, runPage } from './page-runner.ts';

/** What a client sends to the gateway, as its settings on the page say. */
interface Setting {
  readonly url: string;
  /** In the words of a shell: the token is read from token.txt. */
  readonly header: string;
}

const page = pageText('docs/clients.md');

/** The text of the first block of a language below a heading. */
function block(heading: string, language: string): string {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const found = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1];
  if (found === undefined) throw new Error(`${heading} has no block of ${language}`);
  return found;
}

function json(heading: string, ...path: readonly string[]): JsonObject {
  const whole: unknown = JSON.parse(block(heading, 'json'));
  return path.reduce<JsonObject>(objectIn, asJsonObject(whole));
}

/** The variables that the page names, and `<token>`, as the file that has the token. */
const withToken = (text: string): string =>
  text.replace(/<token>|\$\{input:token\}|\$\{env:GATEWAY_TOKEN\}/, '$(cat token.txt)');

const authorization = (server: JsonObject): string =>
  withToken(`Authorization: ${textIn(server['headers'], 'Authorization')}`);

/** Reads the settings of each client as that client does. */
const settings: Readonly<Record<string, () => Setting>> = {
  'Claude Code': () => {
    const command = /^claude mcp add --transport http tools (\S+) --header "(.+)"$/m.exec(block('Claude Code', 'sh'));
    return { url: command?.[1] ?? '', header: command?.[2] ?? '' };
  },
  'Claude Desktop': () => {
    const { command, args, env } = json('Claude Desktop', 'mcpServers', 'tools');
    const [yes, program, url, flag, header] = Array.isArray(args) ? args.map(String) : [];
    expect([command, yes, program, flag]).toEqual(['npx', '-y', 'mcp-remote', '--header']);
    const auth = textIn(env, 'AUTH') ?? '';
    return { url: url ?? '', header: withToken((header ?? '').replace(/\$\{AUTH\}/, auth)) };
  },
  'VS Code': () => {
    const { inputs } = json('VS Code');
    expect(inputs).toMatchObject([{ id: 'token', type: 'promptString' }]);
    const server = json('VS Code', 'servers', 'tools');
    expect(server['type']).toBe('http');
    return { url: textIn(server, 'url') ?? '', header: authorization(server) };
  },
  Cursor: () => {
    const server = json('Cursor', 'mcpServers', 'tools');
    return { url: textIn(server, 'url') ?? '', header: authorization(server) };
  },
  Codex: () => {
    const lines = block('Codex', 'toml').matchAll(/^(\w+) = "([^"]*)"$/gm);
    const { url, bearer_token_env_var: variable } = Object.fromEntries(
      Array.from(lines, ([, key, text]) => [key, text]),
    );
    return { url: url ?? '', header: withToken(`Authorization: Bearer \${env:${variable}}`) };
  },
};

const initialize = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
});

/** A command that fails unless the gateway answers the first message of a client with this status. */
const answered = (url: string, header: string, status: number): string =>
  `test "$(curl -s -o answer -w '%{http_code}' -X POST '${url}' -H 'content-type: application/json' \\
  -H 'accept: application/json, text/event-stream' -H "${header}" -d '${initialize}')" = ${status} || { cat answer; false; }`;

it('docs/clients.md has settings that a gateway answers, and a program that runs', { timeout: 180_000 }, async () => {
  const run = await runPage(['@modelcontextprotocol/sdk']);
  const before = executedBlocks(pageText('docs/getting-started.md'));
  const last = before.findLastIndex(({ kind }) => kind === 'start');
  for (const one of before.slice(0, last + 1)) await run.execute(one);
  for (const [client, read] of Object.entries(settings)) {
    const { url, header } = read();
    expect({ client, url }).toEqual({ client, url: 'http://127.0.0.1:8080/mcp' });
    await run.execute({ kind: 'run', text: answered(url, header, 200) });
    await run.execute({ kind: 'run', text: answered(url, header.replace('$(cat token.txt)', 'none'), 401) });
  }
  const own = executedBlocks(page);
  expect(own.map(({ kind }) => kind)).toEqual(['file', 'console']);
  for (const one of own) await run.execute(one);
});
