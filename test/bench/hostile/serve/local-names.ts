import { GatewayNode } from '../../../support/nodes/gateway-node.ts';
import { mcpPort, mcpService, serviceWith } from '../../../support/worlds/manifests.ts';
import { removeManifest, writeManifest } from '../programs/manifest-folder.ts';
import type { Attack, StopAttack, Victim } from '../programs/model.ts';
import { until } from '../programs/repeat.ts';

/** What the machine of a gateway calls itself and its link, and spellings that a resolver takes for an address. */
const names: readonly string[] = [
  ...['localhost', 'LOCALHOST', 'localhost.', 'a.localhost', 'localhost.localdomain', 'a.localhost.localdomain'],
  ...['localhost4', 'localhost4.localdomain4', 'localhost6', 'localhost6.localdomain6', 'loopback', 'broadcasthost'],
  ...['ip6-localhost', 'IP6-Localhost', 'ip6-localhost.', 'ip6-loopback', 'ip6-localnet', 'ip6-allnodes'],
  ...['ip6-allrouters', 'ip6-mcastprefix', 'ipv6-localhost', 'ipv6-loopback', 'a.ip6-localhost', '_gateway'],
  ...['127.0.0.1', '127.1', '127.0.0.1.', '0', '0.0.0.0', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1'],
  ...['::1', '[::1]', '::ffff:127.0.0.1', '169.254.169.254', 'localhost%00', 'localhost:80', 'a@localhost'],
  ...['localhost/', 'localhost#.example.com', '\u0661\u0662\u0667.0.0.1', '\u24dbocalhost', 'localhost\u3002'],
];

/** Targets on the machine of each gateway that is told of them. */
export const localNameAttacks: readonly Attack[] = [
  {
    name: "external names of a gateway's own machine",
    row: 13,
    program: 'serve',
    amount: { full: 5_000, short: 100 },
    trace: { metric: 'gatehouse_input_errors', line: 'more problems than the log names' },
    start: nameTheMachine,
  },
];

/** Counts the names that a node has targets for. */
async function nameTheMachine({ xds, folder }: Victim, count: number): Promise<StopAttack> {
  const services = Array.from({ length: count }, (_, index) => {
    const externalName = JSON.stringify(names[index % names.length]);
    const spec = `{ type: ExternalName, externalName: ${externalName}, ports: [${mcpPort(80)}] }`;
    return serviceWith(`default/local-${index}`, spec);
  });
  // The last one is read with the others, and shows that they were.
  writeManifest(folder, 'local.yaml', [...services, mcpService('default/routable')].join('---\n'));
  const node = new GatewayNode(`127.0.0.1:${xds}`, 'default/gw').connect();
  const targets = async (): Promise<readonly string[]> => Object.keys((await node.settled()).targets);
  await until(async () => (await targets()).includes('default/routable'));
  return async () => {
    const got = (await targets()).filter((name) => name.startsWith('default/local-')).length;
    removeManifest(folder, 'local.yaml');
    await node.close();
    return got;
  };
}
