/** Tells browsers that something changed: looks while somebody watches, and not otherwise. */

export interface Watch {
  /** Calls back after each change until the returned function is called. */
  readonly follow: (changed: () => void) => () => void;
  readonly close: () => void;
}

export interface WatchOptions {
  /** A text that differs whenever something that pages show differs. Never rejects. */
  readonly digest: () => Promise<string>;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
}

/** One look serves all who follow. A look that takes longer than the pause delays the next one. */
export function createWatch({ digest, everyMs }: WatchOptions): Watch {
  const followers = new Set<() => void>();
  let timer: NodeJS.Timeout | undefined;
  let last: string | undefined;
  let closed = false;
  const look = async (): Promise<void> => {
    const now = await digest();
    if (last !== undefined && now !== last) for (const changed of followers) changed();
    last = now;
    timer = closed || followers.size === 0 ? undefined : setTimeout(() => void look(), everyMs).unref();
  };
  return {
    follow: (changed) => {
      followers.add(changed);
      if (timer === undefined && followers.size === 1) {
        // what happened while nobody watched is in the page that the follower has just loaded
        last = undefined;
        timer = setTimeout(() => void look(), 0);
      }
      return () => followers.delete(changed);
    },
    close: () => {
      closed = true;
      followers.clear();
      clearTimeout(timer);
    },
  };
}
