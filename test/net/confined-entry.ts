/** Entry of the processes of confined-process.process.test.ts: does what it is told. */
const deeds: Readonly<Record<string, () => unknown>> = {
  'say three things': () => {
    for (const thing of [1, 2, 3]) process.send?.({ thing });
    process.disconnect();
  },
  'say what you have': () => {
    const { pid, env, execArgv, argv } = process;
    process.send?.({ pid, env, execArgv, arguments: argv.slice(2) });
  },
  'grow one list': () => {
    const list: number[] = [];
    for (;;) list.push(list.length);
  },
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  throw: () => {
    throw new Error('on purpose');
  },
  'work for ever': () => {
    process.send?.('working');
    for (;;);
  },
};

process.on('message', (what: string) => deeds[what]?.());
