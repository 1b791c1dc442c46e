import { tmpdir } from 'node:os';
import { formatHostPort, type HostPort, parseHostPort } from '../net/host-port.ts';
import { connectAgent } from './agent.ts';
import { controlPlane } from './control-plane.ts';
import { type Guide, guidePort, guideToken, prepareGuide } from './guide.ts';
import { addressProblem, type DemoAddresses, demoAddresses, type PortChoice } from './ports.ts';
import { type Program, type ProgramSource, startProgram } from './programs.ts';
import { guideTool, runStory, StoryError, type Verdict } from './story.ts';

export type { PortChoice } from './ports.ts';

/** Settings of the demo, and where it prints. */
export interface DemoOptions {
  /** Stops after the story instead of waiting for `stopRequested`. */
  readonly once: boolean;
  readonly ports: PortChoice;
  /** The folder of the guide's manifests. */
  readonly manifests: string;
  /** The entry file of `gatehouse`. */
  readonly entry: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Prints a line for the user. */
  readonly print: (line: string) => void;
  readonly verdict: Verdict;
  /** Resolves when the user wants the demo to stop. */
  readonly stopRequested: Promise<void>;
}

/**
 * `diverged`: a step's result differed from the guide. `failed`: a port is in use, a program did not start or ended early,
 * or the story was stopped although nothing else was wanted.
 */
export type DemoOutcome =
  | { readonly kind: 'completed' }
  | { readonly kind: 'diverged' | 'failed'; readonly message: string };

/** Starts the three programs, runs the story, and stops them in every case. */
export async function runDemo(options: DemoOptions): Promise<DemoOutcome> {
  const addresses = demoAddresses(options.ports, await guidePort(options.manifests));
  const problem = await addressProblem(addresses);
  if (problem !== undefined) return { kind: 'failed', message: problem };
  const guide = await prepareGuide(options.manifests, addresses.gateway).catch(whyNoFolder);
  if (typeof guide === 'string') return { kind: 'failed', message: guide };
  const exited = Promise.withResolvers<DemoOutcome>();
  const programs: Program[] = [];
  const source: ProgramSource = {
    program: [process.execPath, options.entry],
    logs: guide.logs,
    environment: options.environment,
    unexpectedExit: (message) => exited.resolve({ kind: 'failed', message }),
  };
  const stopped = options.stopRequested.then(
    (): DemoOutcome =>
      options.once ? { kind: 'failed', message: 'stopped before the end of the story.' } : { kind: 'completed' },
  );
  const story = startAndRunStory(options, guide, () => startPrograms(guide, addresses, source, programs));
  try {
    return await Promise.race([story, exited.promise, stopped]);
  } finally {
    await Promise.all(programs.toReversed().map((program) => program.stop()));
    await guide.discard();
    options.print(`Everything has stopped. The logs of the programs are in ${guide.logs}`);
  }
}

/** The remedy, when the folders of the demo cannot be made or filled. */
function whyNoFolder(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `the demo keeps its files and logs in ${tmpdir()}, and cannot: ${reason}. Set TMPDIR to a folder that can be written.`;
}

async function startAndRunStory(
  { once, print, verdict, stopRequested }: DemoOptions,
  guide: Guide,
  start: () => Promise<RunningAddresses>,
): Promise<DemoOutcome> {
  try {
    print("Starting the control plane, the MCP gateway and the sample tool on the guide's manifests …");
    const running = await start();
    print('');
    await runStory({
      guide,
      controlPlane: controlPlane(running.debug, 'default/mcp-gateway'),
      connect: () => connectAgent(`${running.gateway}/sse`, guideToken),
      print,
      verdict,
    });
    if (once) return { kind: 'completed' };
    for (const line of instructions(guide, running)) print(line);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof StoryError ? 'diverged' : 'failed', message };
  }
  await stopRequested;
  return { kind: 'completed' };
}

/** Where the programs listen, once they do. */
interface RunningAddresses {
  /** The URL of the gateway's listener, without a path. */
  readonly gateway: string;
  readonly gatewayAdmin: string;
  readonly debug: string;
}

/** Starts the three programs. Flags replace what a cluster provides: the mounted ConfigMap, DNS names and ports. */
async function startPrograms(
  guide: Guide,
  addresses: DemoAddresses,
  source: ProgramSource,
  programs: Program[],
): Promise<RunningAddresses> {
  const start = (command: string, args: readonly string[], environment = {}): Program => {
    const program = startProgram({ ...source, environment: { ...source.environment, ...environment } }, command, args);
    programs.push(program);
    return program;
  };
  const listen = (flag: string, address: HostPort): string => `--${flag}-listen=${formatHostPort(address)}`;
  const { xds, debug, admin, metrics, gatewayAdmin } = addresses;
  const tool = start('mcp-tool', ['--sse', '--host=127.0.0.1', '--port=0']);
  const listeners = [listen('xds', xds), listen('debug', debug), listen('admin', admin), listen('metrics', metrics)];
  const serve = start('serve', ['-f', guide.watched, ...listeners]);
  const [toolAddress, xdsAddress] = [await tool.listening('mcp'), await serve.listening('xds')];
  const gateway = start(
    'gateway',
    [
      '--file=/config/config.json',
      `--mount=/config=${guide.mounted}`,
      `--resolve=kgateway.kgateway-system.svc.cluster.local:9977=${xdsAddress}`,
      `--resolve=mcp-tool.default.svc.cluster.local:8080=${toolAddress}`,
      listen('admin', gatewayAdmin),
    ],
    { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' },
  );
  return {
    gateway: reachableUrl(await gateway.listening('mcp')),
    gatewayAdmin: `http://${await gateway.listening('admin')}`,
    debug: await serve.listening('debug'),
  };
}

/** The URL of a listener for a program on this machine: a listener on every address is reached on loopback. */
function reachableUrl(address: string): string {
  const { host, port } = parseHostPort(address) ?? { host: address, port: 0 };
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${formatHostPort({ host: reachable, port })}`;
}

/** Returns how to try the running demo by hand. */
function instructions(guide: Guide, { gateway, gatewayAdmin, debug }: RunningAddresses): string[] {
  const inspector = [
    `  npx @modelcontextprotocol/inspector --cli ${gateway}/mcp --transport http \\`,
    `      --header "Authorization: Bearer $(cat ${guide.tokenFile})" \\`,
  ];
  return [
    '',
    'Everything stays up. Try it by hand:',
    `  MCP endpoint   ${gateway}/sse (HTTP+SSE), ${gateway}/mcp (Streamable HTTP)`,
    `  Token          ${guide.tokenFile}`,
    `  Snapshot       http://${debug}/snapshots/xds?pretty`,
    `  Gateway        ${gatewayAdmin}/targets, /rbac, /listeners`,
    `  Manifests      ${guide.watched}`,
    `  Logs           ${guide.logs}`,
    '',
    'List the tools, and call one:',
    ...inspector,
    '      --method tools/list',
    ...inspector,
    `      --method tools/call --tool-name ${guideTool} --tool-arg 'uri=data:text/html,<h1>Hello</h1>'`,
    'The call is denied. Allow it, and call again:',
    `  cp ${guide.policy} ${guide.watched}/`,
    '',
    'Ctrl-C stops everything.',
  ];
}
