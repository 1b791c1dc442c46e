import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Attack, StopAttack, Trace, Victim } from '../programs/model.ts';

/** Nothing is wrong with what is read, or nothing is read of it. */
const read: Trace = { metric: 'gatehouse_source_reads_total', line: undefined };

/** None of the entries can be read. */
const unreadable: Trace = { metric: 'gatehouse_input_errors', line: 'more problems than the log names' };

/** Ten thousand files are read. */
const crowded: Trace = { metric: 'gatehouse_input_errors', line: 'there is more than is read', only: 'bench' };

/** They are read, and most of their folders are not watched. */
const unwatched: Trace = { metric: 'gatehouse_source_reads_total', line: 'a folder cannot be watched' };

/** The link that the first one of a ring leads to: with it, each leads through more links than are followed. */
const ring = 60;

/** What else than large texts a folder of manifests can have. The amount is that of entries. */
export const folderAttacks: readonly Attack[] = [
  ofFolder('a hundred thousand manifests', { full: 100_000, short: 300 }, crowded, (path, index) => {
    writeFileSync(path, `{apiVersion: v1, kind: ConfigMap, metadata: {name: c${index}, namespace: default}}\n`);
  }),
  ofFolder('links in a circle', { full: 10_000, short: 100 }, unreadable, (path, index) => {
    symlinkSync(`f${index % 2 === 0 ? index + 1 : index - 1}.yaml`, path);
  }),
  // More than may follow one another.
  ofFolder('links in one ring', { full: 10_000, short: 100 }, unreadable, (path, index) => {
    symlinkSync(index === 0 ? `f${ring}.yaml` : `f${index - 1}.yaml`, path);
  }),
  ofFolder('links to as many folders', { full: 3_000, short: 300 }, unwatched, (path, index) => {
    mkdirSync(join(dirname(path), 'sub', `d${index}`));
    const text = `{apiVersion: v1, kind: ConfigMap, metadata: {name: c${index}, namespace: default}}\n`;
    writeFileSync(join(dirname(path), 'sub', `d${index}`, 'real'), text);
    symlinkSync(`sub/d${index}/real`, path);
  }),
  ofFolder('links to devices', { full: 1_000, short: 20 }, read, (path) => symlinkSync('/dev/zero', path)),
  ofFolder('links whose targets have a thousand names', { full: 3_000, short: 50 }, unreadable, (path, index) => {
    const next = index % 39 === 38 ? 'base.yaml' : `f${index + 1}.yaml`;
    symlinkSync(`${'sub/../'.repeat(550)}${next}`, path);
  }),
  {
    name: 'a folder within it with a hundred thousand entries',
    row: 12,
    program: 'serve',
    amount: { full: 100_000, short: 300 },
    seconds: 20,
    trace: read,
    start({ folder }, count): StopAttack {
      mkdirSync(join(folder, 'sub'), { recursive: true });
      for (let index = 0; index < count; index += 1) writeFileSync(join(folder, 'sub', `f${index}.txt`), '');
      return keepTouching(folder, () => rmSync(join(folder, 'sub'), { recursive: true, force: true }));
    },
  },
  {
    name: 'renames without an end',
    row: 12,
    program: 'serve',
    amount: { full: 500, short: 20 },
    seconds: 15,
    trace: read,
    start({ folder }, perTurn): StopAttack {
      let turns = 0;
      const text = '{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: default}}\n';
      writeFileSync(join(folder, 'r0.yaml'), text);
      const timer = setInterval(() => {
        for (let index = 0; index < perTurn; index += 1) {
          renameSync(join(folder, `r${turns % 1_000}.yaml`), join(folder, `r${(turns + 1) % 1_000}.yaml`));
          turns += 1;
        }
      }, 10);
      return () => {
        clearInterval(timer);
        rmSync(join(folder, `r${turns % 1_000}.yaml`), { force: true });
        return 0;
      };
    },
  },
];

function ofFolder(
  name: string,
  amount: Attack['amount'],
  trace: Trace,
  make: (path: string, index: number) => void,
): Attack {
  return {
    name,
    row: 12,
    program: 'serve',
    amount,
    seconds: 20,
    trace,
    start({ folder }: Victim, count): StopAttack {
      const paths = Array.from({ length: count }, (_, index) => join(folder, `f${index}.yaml`));
      mkdirSync(join(folder, 'sub'), { recursive: true });
      for (const [index, path] of paths.entries()) make(path, index);
      return keepTouching(folder, () => {
        for (const path of paths) rmSync(path, { force: true });
        rmSync(join(folder, 'sub'), { recursive: true, force: true });
      });
    },
  };
}

/** Touches the folder itself, so that all of it is looked at again and again. */
function keepTouching(folder: string, end: () => void): StopAttack {
  const timer = setInterval(() => utimesSync(folder, new Date(), new Date()), 500);
  return () => {
    clearInterval(timer);
    end();
    return 0;
  };
}
