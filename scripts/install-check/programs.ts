import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { controlPlane } from '../../src/demo/control-plane.ts';
import { prepareGuide } from '../../src/demo/guide.ts';
import { type Program, startProgram } from '../../src/demo/programs.ts';

/** An image's entry point, with paths outside of a container. */
interface EntryPoint {
  /** The program's entry file. */
  readonly entry: string;
  /** Arguments of the entry point, before those of the container. */
  readonly args: readonly string[];
}

export interface ProgramsOptions {
  /** Folder of the guide's manifests. */
  readonly manifests: string;
  /** An existing folder for the programs' logs. */
  readonly logs: string;
  /** Prints a line of progress. */
  readonly report: (line: string) => void;
  /** Returns the entry point of an image. */
  readonly entryPointOf: (target: string) => EntryPoint;
  /** Rejects on a signal. */
  readonly interrupted: Promise<never>;
}

type Start = (target: string, args: readonly string[], environment?: Readonly<Record<string, string>>) => Program;

/**
 * Starts the control plane, the gateway and the tool with the images' entry points, waits until the gateway has
 * acknowledged the control plane's configuration, and stops all three. Rejects if one exits early or does not stop.
 */
export async function runPrograms(options: ProgramsOptions): Promise<void> {
  const died = Promise.withResolvers<never>();
  died.promise.catch(() => undefined);
  const running: Program[] = [];
  const commands: string[] = [];
  let stopping = false;
  const start: Start = (target, args, environment = {}) => {
    if (stopping) throw new Error(`${target} is not started: the check is stopping`);
    const entryPoint = options.entryPointOf(target);
    const [command = '', ...rest] = [...entryPoint.args, ...args];
    options.report(`start ${target}: ${[command, ...rest].join(' ')}`);
    const source = {
      entry: entryPoint.entry,
      logs: options.logs,
      environment: { ...process.env, ...environment },
      unexpectedExit: (message: string) => died.reject(new Error(message)),
    };
    const program = startProgram(source, command, rest);
    running.push(program);
    commands.push(command);
    return program;
  };
  const connected = startAndConnect(options, start);
  try {
    await Promise.race([connected, died.promise, options.interrupted]);
  } finally {
    stopping = true;
    await Promise.all(running.map((program) => program.stop()));
    // It removes its temporary folder when it fails, which it does once the programs have stopped.
    await Promise.allSettled([connected]);
  }
  for (const command of commands) {
    const log = await readFile(join(options.logs, `${command}.log`), 'utf8');
    if (!log.includes('"message":"stopped"')) throw new Error(`gatehouse ${command} did not stop:\n${log}`);
  }
  options.report('all three programs stopped');
}

async function startAndConnect({ manifests, report }: ProgramsOptions, start: Start): Promise<void> {
  const guide = await prepareGuide(manifests, { host: '0.0.0.0', port: 0 });
  try {
    const tool = start('mcp-tool', [
      ...(await argumentsIn(manifests, '5-mcp-tool.yaml')),
      // Override the manifest: the last value of a flag wins.
      '--host=127.0.0.1',
      '--port=0',
    ]);
    const listeners = ['xds', 'debug', 'metrics', 'admin'];
    const onLoopback = listeners.map((name) => `--${name}-listen=127.0.0.1:0`);
    const serve = start('gatehouse', ['serve', '-f', manifests, ...onLoopback]);
    const [xds, debug, metrics] = await Promise.all(['xds', 'debug', 'metrics'].map((name) => serve.listening(name)));
    const toolAddress = await tool.listening('mcp');
    report(`the control plane listens on ${xds}, the tool on ${toolAddress}`);
    const gateway = start(
      'mcp-gateway',
      [
        ...(await argumentsIn(manifests, '4-mcp-gateway.yaml')),
        `--mount=/config=${guide.mounted}`,
        `--resolve=kgateway.kgateway-system.svc.cluster.local:9977=${xds}`,
        `--resolve=mcp-tool.default.svc.cluster.local:8080=${toolAddress}`,
        '--admin-listen=127.0.0.1:0',
      ],
      { POD_NAMESPACE: 'default', POD_NAME: 'mcp-gateway', NODE_NAME: 'mcp-gateway', GW_NAME: 'mcp-gateway' },
    );
    report(`the gateway listens on ${await gateway.listening('mcp')}`);
    const { version } = await controlPlane(String(debug), 'default/mcp-gateway').acknowledged(undefined);
    report(`the gateway acknowledged ${version}`);
    // The control plane serves nothing before it is ready.
    const ready = await fetch(`http://${metrics}/readyz`);
    if (!ready.ok) throw new Error(`/readyz answers ${ready.status}: ${await ready.text()}`);
    report('/readyz answers 200');
  } finally {
    await guide.discard();
  }
}

/** Reads the container arguments of the Deployment in a manifest of the guide. */
async function argumentsIn(manifests: string, file: string): Promise<readonly string[]> {
  const text = await readFile(join(manifests, file), 'utf8');
  const deployment = parseAllDocuments(text).find((document) => document.get('kind') === 'Deployment');
  const found: unknown = deployment?.toJS().spec.template.spec.containers[0].args;
  if (!Array.isArray(found)) throw new Error(`${file} has no Deployment with arguments`);
  return found.map(String);
}
