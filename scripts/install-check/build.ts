import { execFileSync } from 'node:child_process';
import { cp, mkdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Stage } from './dockerfile.ts';

/** Folders and output of a build. */
export interface BuildContext {
  /** The folder that COPY reads from: the checkout. */
  readonly checkout: string;
  /** Parent of the stages' root folders, which have the stages' names. */
  readonly roots: string;
  /** Prints a line of progress. */
  readonly report: (line: string) => void;
}

/**
 * Runs the steps of a stage; resolves with its root folder. Supports two cases of COPY: a target with a trailing slash is a
 * folder, any other is the new path of the source. Moves files from other stages instead of copying them, because each is
 * used once and an installation is large.
 */
export async function buildStage(stage: Stage, context: BuildContext): Promise<string> {
  const root = join(context.roots, stage.name);
  let workdir = root;
  for (const step of stage.steps) {
    switch (step.kind) {
      case 'workdir':
        workdir = pathInRoot(root, workdir, step.path);
        await mkdir(workdir, { recursive: true });
        break;
      case 'run':
        context.report(`${stage.name}: ${step.command}`);
        execFileSync('sh', ['-c', step.command], { cwd: workdir, stdio: ['ignore', 'ignore', 'inherit'] });
        break;
      case 'copy':
        context.report(`${stage.name}: copy ${step.sources.join(' ')} to ${step.target}`);
        for (const source of step.sources) {
          const target = pathInRoot(
            root,
            workdir,
            step.target.endsWith('/') ? join(step.target, basename(source)) : step.target,
          );
          if (step.from === undefined) await cp(join(context.checkout, source), target, { recursive: true });
          else await move(join(context.roots, step.from, source), target);
        }
        break;
    }
  }
  return root;
}

/** Maps a path of the image to the stage's root folder. */
function pathInRoot(root: string, workdir: string, path: string): string {
  return path.startsWith('/') ? join(root, path) : join(workdir, path);
}

async function move(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rename(source, target);
}
