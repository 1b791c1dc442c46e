import { describe, expect, it } from 'vitest';
import { serveFlags, serveSettings } from '../../src/cli/flags/serve-flags.ts';
import { readFlags } from '../../src/cli/flags.ts';
import { cli } from '../support/processes/terminal.ts';

describe('a wrong command line', () => {
  it.each([
    [['serv'], /unknown command "serv"\. Did you mean serve\?/],
    [['frobnicate'], /unknown command "frobnicate"\. See gatehouse --help/],
    [['gatway', '--help'], /Did you mean gateway\?/],
    [['serve', '-f', '.', '--xds-lisen=:1'], /unknown flag --xds-lisen\. Did you mean --xds-listen\?/],
    [['serve', '-f', '.', '-x'], /unknown flag -x\. /],
    [['gateway', '--resolv=a'], /Did you mean --resolve\?/],
    [['demo', '--onse'], /Did you mean --once\?/],
    [['listen'], /^gatehouse: unknown command "listen"\. See gatehouse --help\.\n$/],
    [['gatway'], /Did you mean gateway\?/],
    [['demo', 'once'], /unexpected argument "once"\. See gatehouse demo --help/],
    [['serve'], /say what to serve: -f <file or folder>, or a cluster by --kubeconfig <file> or --context <name>/],
    [['serve', '-f', '.', '--kubeconfig=k'], /-f watches files and --kubeconfig a cluster: give one of the two/],
    [['serve', '-f', '.', '--context=c'], /-f watches files and --context a cluster: give one of the two/],
    [['serve', '-f', '.', '--namespace=Red'], /--namespace is the name of a namespace, for example default, not "Red"/],
    [['serve', '--context=c', '--lease-namespace=a.b'], /--lease-namespace is the name of a namespace/],
    [['serve', '--context=c', '--leader-election=maybe'], /--leader-election is true or false/],
    [['serve', '-f'], /--filename needs a value: --filename=<file or folder>/],
    [['gateway', '--config={}', '--state='], /--state is empty: write --state=<folder>, or leave it out/],
    [['serve', '-f', ''], /--filename is empty: write --filename=<file or folder>, or leave it out/],
    [['serve', '-f', '.', '--xds-listen=9977'], /--xds-listen is <host>:<port>, for example .*, not "9977"/],
    [['serve', '-f', '.', '--debug-listen=:99999'], /--debug-listen is <host>:<port>/],
    [['serve', '-f', '.', '--quiet=5'], /--quiet is a number with a unit \(ms, s, m, h\), for example 10s, not "5"/],
    [['serve', '-f', '.', '--receive-limit=0'], /--receive-limit is a whole number from 1 to/],
    [['serve', '-f', '.', '--max-streams-per-second=0'], /--max-streams-per-second is a whole number from 1 to/],
    [
      ['gateway', '--config={}', '--max-connections-per-second=0'],
      /--max-connections-per-second is a whole number from 1/,
    ],
    [['serve', '-f', '.', '--max-connections=0'], /--max-connections is a whole number from 1 to/],
    [['serve', '-f', '.', '--max-streams-per-connection=no'], /--max-streams-per-connection is a whole number from 1/],
    [['serve', '-f', '.', '--max-connection-age=12'], /--max-connection-age is a number with a unit/],
    [['serve', '-f', '.', '--external-name-services=perhaps'], /--external-name-services is true or false/],
    [['serve', '-f', '.', '--cluster-domain=.local'], /--cluster-domain is a domain name/],
    [['serve', '-f', '.', '--log-level=loud'], /--log-level is one of debug, info, warn, error, not "loud"/],
    [['gateway'], /--file=<path or URL> or with --config=<JSON>, exactly one/],
    [['gateway', '--config={}', '--file=a'], /exactly one/],
    [['gateway', '--config={'], /--config: is not JSON/],
    [['gateway', '--config={}', '--list=some'], /--list is one of all, filtered, not "some"/],
    [
      ['gateway', '--config={}', '--target-timeout=a=1s'],
      /--target-timeout is <target>=<duration>, .*, not one of "a"/,
    ],
    [['gateway', '--config={}', '--target-timeout=a/b'], /--target-timeout is <name>=<duration>, not "a\/b"/],
    [['gateway', '--config={}', '--target-timeout=a/b=5'], /--target-timeout is a number with a unit/],
    [['gateway', '--config={}', '--method-timeout=tools/list=5s'], /--method-timeout is one of tools\/call, .*list"/],
    [['gateway', '--config={}', '--max-sessions=0'], /--max-sessions is a whole number from 1 to 10000/],
    [['gateway', '--config={}', '--session-idle-timeout=10ms'], /--session-idle-timeout is from 1s to 24h, not "10ms"/],
    [['gateway', '--config={}', '--max-header-bytes=1'], /--max-header-bytes is a whole number from 1024/],
    [['mcp-tool', '--port=99999'], /--port is a whole number from 0 to 65535, not "99999"/],
    [['demo', '--port=0'], /--port is a whole number from 1 to 65535/],
  ])('is answered with one line that says what to write instead: %j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args, {});
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^gatehouse: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });

  it('may also be a wrong variable of the environment', async () => {
    const { code, stderr } = await cli(['serve', '-f', '.'], { GATEHOUSE_LOG_LEVEL: 'loud' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('"loud"') });
  });
});

describe('a wrong flag about security', () => {
  it.each([
    [['serve', '-f', '.', '--xds-tls=yes'], /--xds-tls is one of off, on, either, not "yes"/],
    [['serve', '-f', '.', '--xds-tls=on'], /--xds-tls=on needs --xds-tls-cert=<file> and --xds-tls-key=<file>/],
    [['serve', '-f', '.', '--xds-tls-key=k'], /--xds-tls-key has no effect without TLS: add --xds-tls=on/],
    [['serve', '-f', '.', '--xds-tls=on', '--xds-tls-cert=/nowhere'], /needs/],
    [['serve', '-f', '.', '--xds-auth=maybe'], /--xds-auth is one of none, token, mtls, not "maybe"/],
    [['serve', '-f', '.', '--xds-auth=none,token'], /--xds-auth=none stands alone/],
    [['serve', '-f', '.', '--xds-auth=token'], /for files, give --xds-auth-jwks=<file or https URL>/],
    [['serve', '-f', '.', '--xds-auth=token', '--xds-auth-jwks=k'], /--xds-auth-issuer=<issuer> belong together/],
    [
      ['serve', '-f', '.', '--xds-auth=token', '--xds-auth-jwks=http://k', '--xds-auth-issuer=i'],
      /a file or an https URL/,
    ],
    [['serve', '-f', '.', '--xds-auth-jwks=k', '--xds-auth-issuer=i'], /--xds-auth-jwks has no effect without/],
    [['serve', '--context=c', '--xds-auth=token', '--xds-auth-audience='], /--xds-auth-audience is empty/],
    [['serve', '-f', '.', '--xds-auth=mtls'], /--xds-auth=mtls needs --xds-tls=on, or either, and --xds-tls-client-ca/],
    [['serve', '-f', '.', '--debug-auth=yes'], /--debug-auth is one of none, token, not "yes"/],
    [['serve', '--context=c', '--debug-auth=token'], /--debug-auth=token needs --xds-tls-cert=<file>/],
    [
      ['serve', '-f', '.', '--debug-auth=token', '--xds-tls-cert=c', '--xds-tls-key=k'],
      /asks the API server of a cluster/,
    ],
  ])('is answered with one line that says what to write instead: %j', async (args, message) => {
    const { code, stdout, stderr } = await cli(args, {});
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^gatehouse: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

describe('a flag', () => {
  const settings = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): object =>
    serveSettings(readFlags(serveFlags, args, environment), environment);

  it('overrides the environment, which overrides the default', () => {
    const environment = { GATEHOUSE_CLUSTER_DOMAIN: 'example.org', GATEHOUSE_XDS_LISTEN: '[::1]:7' };
    expect(settings(['-f', 'a', '--cluster-domain=example.com'], environment)).toMatchObject({
      clusterDomain: 'example.com',
      xdsListen: { host: '::1', port: 7 },
      debugListen: { host: '127.0.0.1', port: 9097 },
    });
  });

  it('is not set by an empty variable', () => {
    expect(settings(['-f', 'a'], { GATEHOUSE_CLUSTER_DOMAIN: '' })).toMatchObject({ clusterDomain: 'cluster.local' });
  });

  it('has its value after a space or after =', () => {
    expect(settings(['--filename', 'a', '--shutdown-grace', '250ms', '--quiet=1.5s'])).toMatchObject({
      input: { filenames: ['a'], debounce: { idle: 1500, ceiling: 500 } },
      shutdownGrace: 250,
    });
  });

  it('that is repeatable is separated by commas in the environment, which the command line replaces as a whole', () => {
    const environment = { GATEHOUSE_FILENAME: 'a,b', GATEHOUSE_NAMESPACE: 'red,blue' };
    expect(settings([], environment)).toMatchObject({
      input: { filenames: ['a', 'b'] },
      namespaces: ['red', 'blue'],
    });
    expect(settings(['-f', 'c', '-f', 'd'], environment)).toMatchObject({ input: { filenames: ['c', 'd'] } });
  });

  it('that is a switch is turned on by its name and off by =false', () => {
    expect(settings(['-f', 'a', '--allow-loopback-targets', '--external-name-services=false'])).toMatchObject({
      allowLoopbackTargets: true,
      externalNameServices: false,
    });
    expect(settings(['-f', 'a', '--allow-private-jwks'])).toMatchObject({
      keyFetching: { allowHttp: false, allowPrivate: true },
    });
    expect(settings(['-f', 'a', '--allow-http-jwks'])).toMatchObject({
      keyFetching: { allowHttp: true, allowPrivate: false },
    });
    expect(settings(['-f', 'a'], { GATEHOUSE_ALLOW_LOOPBACK_TARGETS: 'true' })).toMatchObject({
      allowLoopbackTargets: true,
    });
  });
});

describe('the source of the resources', () => {
  const input = (args: readonly string[], environment: Readonly<Record<string, string>> = {}): unknown =>
    serveSettings(readFlags(serveFlags, args, environment), environment).input;
  const inPod = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
  const elected = { by: 'leader', leaseNamespace: undefined };

  it('is the cluster of the pod, in a pod without flags', () => {
    const environment = { ...inPod, POD_NAMESPACE: 'kgateway-system' };
    expect(input([], environment)).toEqual({
      from: 'cluster',
      access: { by: 'service account', environment },
      statusWriting: { by: 'leader', leaseNamespace: 'kgateway-system' },
      debounce: { idle: 10, ceiling: 200 },
    });
  });

  it('is files that count after the time that a flag names', () => {
    expect(input(['-f', 'a', '--settle=0s'], {})).toMatchObject({ settle: 0 });
    expect(() => input(['-f', 'a', '--settle=soon'], {})).toThrow(/--settle is a number with a unit/);
  });

  it('is files when a flag names them, in a pod too', () => {
    expect(input(['-f', 'a'], inPod)).toEqual({
      from: 'files',
      filenames: ['a'],
      debounce: { idle: 25, ceiling: 500 },
      settle: 1000,
    });
  });

  it.each([
    [['--kubeconfig=k'], { by: 'kubeconfig', path: 'k', context: undefined }],
    [['--context=c'], { by: 'context', context: 'c' }],
    [['--kubeconfig=k', '--context=c'], { by: 'kubeconfig', path: 'k', context: 'c' }],
  ])('is the cluster that %j names, in a pod too', (args, access) => {
    for (const environment of [{}, inPod])
      expect(input(args, environment)).toMatchObject({ from: 'cluster', access, statusWriting: elected });
  });

  it('is never the current context of a kubeconfig', () => {
    expect(() => input([], { KUBECONFIG: '/home/me/.kube/config' })).toThrow(/say what to serve/);
  });

  it('gets its statuses from the process that the flags select', () => {
    const writing = (...args: readonly string[]): unknown => {
      const settings = serveSettings(readFlags(serveFlags, ['--context=c', ...args], {}), { POD_NAMESPACE: 'pod' });
      return settings.input.from === 'cluster' && settings.input.statusWriting;
    };
    expect(writing()).toEqual({ by: 'leader', leaseNamespace: 'pod' });
    expect(writing('--lease-namespace=other')).toEqual({ by: 'leader', leaseNamespace: 'other' });
    expect(writing('--leader-election=false')).toEqual({ by: 'this-process' });
    expect(writing('--write-status=false')).toEqual({ by: 'none' });
  });
});
