/** File systems that tests may spoil: they take root, and go when the test ends. */
import { existsSync } from 'node:fs';
import { mkdtemp, mkdir, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { run, startProgram, until } from '@scanflow/testkit';

export interface Disk {
  /** Where it is mounted. */
  readonly path: string;
  remount(options: string): Promise<void>;
  unmount(): Promise<void>;
  mount(): Promise<void>;
  /**
   * As if its plug were pulled: what was not synchronised is lost, everything gives an input/output error from now on.
   * Unmounted and mounted again, it works. Only of an ext4.
   */
  pullPlug(): Promise<void>;
}

/** Undefined, and the test skipped for a reason in capitals, where this machine does not mount it. */
export async function makeDisk(
  t: TestContext,
  { kind, megabytes }: { kind: 'tmpfs' | 'ext4'; megabytes: number },
): Promise<Disk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-disk-'));
  const [path, image] = [join(folder, 'mounted'), join(folder, 'image')];
  await mkdir(path);
  const format = async (): Promise<boolean> => {
    if (kind === 'tmpfs') return true;
    await writeFile(image, '');
    await truncate(image, megabytes * 1024 * 1024);
    return (await run('mkfs.ext4', ['-q', '-F', image])).code === 0;
  };
  const arguments_ =
    kind === 'tmpfs'
      ? ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]
      : ['-o', 'loop', image, path];
  const mounted = (await format().catch(() => false)) && (await run('mount', arguments_)).code === 0;
  t.after(async () => {
    // one mount may lie over another
    while ((await run('umount', ['-l', path])).code === 0);
    await rm(folder, { recursive: true });
  });
  if (!mounted) {
    t.skip(`NOT RUN: THIS TAKES ROOT AND A ${kind.toUpperCase()} TO MOUNT`);
    return undefined;
  }
  const must = async (program: string, args: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(program, args);
    if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  };
  const mount = (): Promise<void> => must('mount', arguments_);
  const unmount = (): Promise<void> => must('umount', ['-l', path]);
  return {
    path,
    mount,
    unmount,
    remount: (options) => must('mount', ['-o', `remount,${options}`, path]),
    pullPlug: () => must('python3', ['-c', SHUTDOWN, path]),
  };
}

/** EXT4_IOC_SHUTDOWN with NOLOGFLUSH: the journal is not written out before. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))
`;

export interface FailingDisk {
  /** Where it is mounted. */
  readonly path: string;
  /**
   * From now on this call (`write`, `fsync`, or `any`) gives this error, once so many more bytes were written; without an
   * order, none does.
   */
  fail(order?: { readonly call: string; readonly error: string; readonly after?: number }): Promise<void>;
}

const FAILING = join(import.meta.dirname, 'failing-disk.py');
/** Debian's, which has its packages. */
const PYTHON = '/usr/bin/python3';

/** A disk whose calls fail on demand, as those of network file systems do. Else as `makeDisk`. */
export async function makeFailingDisk(t: TestContext): Promise<FailingDisk | undefined> {
  const ready =
    process.getuid?.() === 0 &&
    existsSync('/dev/fuse') &&
    (await run(PYTHON, ['-c', 'import fusepy']).catch(() => undefined))?.code === 0;
  if (!ready) {
    t.skip('NOT RUN: THIS TAKES ROOT, /dev/fuse AND python3-fusepy');
    return undefined;
  }
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-failing-'));
  const [behind, path, control] = ['behind', 'mounted', 'control'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(behind);
  await mkdir(path);
  await writeFile(control, '');
  const program = await startProgram(PYTHON, [FAILING, behind, path, control]);
  t.after(async () => {
    await run('umount', ['-l', path]);
    await program.stop('SIGKILL');
    await rm(folder, { recursive: true });
  });
  const outside = (await stat(folder)).dev;
  try {
    await until(
      async () => {
        if (program.exited()) throw new Error(program.output());
        return (await stat(path)).dev === outside ? undefined : true;
      },
      { what: 'it is mounted', timeoutMs: 60_000 },
    );
  } catch (error) {
    t.skip(`NOT RUN: THIS TAKES A MACHINE THAT MOUNTS FUSE (${String(error)})`);
    return undefined;
  }
  return {
    path,
    fail: async ({ call, error, after = 0 } = { call: '', error: '' }) => {
      // at once, so that half an order is never read
      await writeFile(`${control}.new`, call === '' ? '' : `${call} ${error} ${after}`);
      await rename(`${control}.new`, control);
    },
  };
}
