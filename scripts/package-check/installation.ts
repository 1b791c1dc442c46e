import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import { run, succeed } from './run.ts';

export interface InstallationOptions {
  readonly tarball: string;
  /** An empty folder beside which nothing of the checkout is. */
  readonly folder: string;
  /** The path of a Node 24. */
  readonly node: string;
  /** Prints a line of progress. */
  readonly report: (line: string) => void;
}

/** The installed package, and how to run it. */
interface Installation extends InstallationOptions {
  /** The command that npm linked. */
  readonly command: string;
  /** The folder of the package's files. */
  readonly root: string;
  /** An empty folder to run in. */
  readonly empty: string;
  /** No HOME, and no Node but the one of the options. */
  readonly environment: NodeJS.ProcessEnv;
}

/** Installs the tarball without a registry and runs every command of it. Throws when one differs from what it should do. */
export async function checkInstallation(options: InstallationOptions): Promise<void> {
  const { folder, tarball, report } = options;
  const [prefix, empty, path] = [join(folder, 'prefix'), join(folder, 'empty'), join(folder, 'path')];
  for (const made of [empty, path]) await mkdir(made);
  await symlink(options.node, join(path, 'node'));
  const cache = ['--offline', '--cache', join(folder, 'cache')];
  report('npm install -g, offline');
  succeed('npm', ['install', '-g', '--prefix', prefix, ...cache, tarball], empty);
  const installation: Installation = {
    ...options,
    command: join(prefix, 'bin/gatehouse'),
    root: join(prefix, 'lib/node_modules/gatehouse'),
    empty,
    environment: { PATH: `${path}:/usr/bin:/bin` },
  };
  report('npx, offline, as the README has it');
  const version = succeed('npx', ['--yes', ...cache, await npxArgument(), '--version'], dirname(tarball));
  expectText(version, `${packageJson.version}\n`);
  await checkCommands(installation);
  checkOlderNodes(installation);
  const left = await readdir(empty);
  if (left.length > 0) throw new Error(`the programs left ${left.join(', ')} in the folder they ran in`);
}

/** What the README gives npx, in the folder of the tarball, with the version in the place of its placeholder. */
async function npxArgument(): Promise<string> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const found = /npx -y (file:\S+<version>\S*)/.exec(readme)?.[1];
  if (found === undefined) throw new Error('the README does not say how to run the tarball with npx');
  return found.replace('<version>', packageJson.version);
}

async function checkCommands({ command, root, empty, folder, environment, report }: Installation): Promise<void> {
  const guide = join(root, 'deploy/examples/guide');
  report('--version, check, explain and demo, without a home');
  expectText(succeed(command, ['--version'], empty, { environment }), `${packageJson.version}\n`);
  // Longer than 8 KiB, so that it is parsed in a process of its own.
  const long = join(folder, 'long.yaml');
  await writeFile(long, `# ${'-'.repeat(9_000)}\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: team-a\n`);
  succeed(command, ['check', guide, long], empty, { environment });
  const call = ['--claims', '{"sub":"me"}', '--tool', 'default/mcp-tool:convert_to_markdown'];
  expectText(succeed(command, ['explain', '-f', guide, ...call], empty, { environment }).split(':')[0], 'allowed');
  // As another user, the folder of the installation is read-only. Only root may become another user.
  const user = process.getuid?.() === 0 ? { user: 65_534 } : {};
  const story = succeed(command, ['demo', '--once', '--ports=0'], empty, { environment, ...user });
  if (!story.includes('The same call is ALLOWED')) throw new Error(`the demo printed: ${story}`);
}

/** Simulates older Nodes: the launcher reads the version, and everything after it needs Node 24 to be read at all. */
function checkOlderNodes({ root, node, empty, report }: Installation): void {
  const launcher = join(root, 'bin/gatehouse.js');
  for (const version of ['20.20.2', '22.12.0']) {
    report(`as Node ${version}`);
    const pretend = `Object.defineProperty(process.versions, 'node', { value: '${version}' })`;
    const { code, stdout, stderr } = run(
      node,
      ['--import', `data:text/javascript,${pretend}`, launcher, 'serve'],
      empty,
    );
    const expected = `gatehouse: needs Node 24 or newer, and ${node} is Node ${version}: install it from`;
    if (code !== 3 || stdout !== '' || !stderr.startsWith(expected) || stderr.split('\n').length !== 2)
      throw new Error(`as Node ${version}: exit code ${code}, ${stderr}`);
  }
}

function expectText(found: string | undefined, expected: string): void {
  if (found !== expected) throw new Error(`expected ${JSON.stringify(expected)}, got ${JSON.stringify(found)}`);
}
