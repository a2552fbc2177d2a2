/**
 * What measurements and tests read of the page: `window.rosenblattPlayground`.
 * Takes nothing; returns copies of what is shown; never changes it.
 */

import { playground } from "./store.svelte";

export interface Probe {
  /** Frames that the page has received since it was loaded, of all runs. */
  readonly frames: number;
  readonly connection: string;
  /** Where each run stands; losses with all their digits. */
  readonly runs: { step: number; train_loss: number | null; test_loss: number | null; settings: unknown }[];
}

declare global {
  interface Window {
    rosenblattPlayground?: Probe;
  }
}

export function exposeProbe(): void {
  window.rosenblattPlayground = {
    get frames() {
      return playground.frames;
    },
    get connection() {
      return playground.connection;
    },
    get runs() {
      return playground.runs.map((run) => ({
        step: run.step,
        train_loss: run.frame?.header.train_loss ?? null,
        test_loss: run.frame?.header.test_loss ?? null,
        settings: run.settings,
      }));
    },
  };
}
