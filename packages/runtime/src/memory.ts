/**
 * V8's settings for a process that reads much. A main.ts imports it alone and first, as
 * `@scanflow/runtime/memory`, and all else by `await import`: what loads before it takes 12 MB more.
 */
import { setFlagsFromString } from 'node:v8';

/*
 * V8 would let 32 MB of young objects lie, with the buffers of image bytes that hang on them, and hardly give 64 MB back.
 * More frequent collections in 1 MB take no longer.
 */
setFlagsFromString('--semi-space-growth-factor=1');
/*
 * Objects that outlive two of these collections lie among the old ones. V8 by itself collects those only when they have
 * become up to four times as many: 10 kB per image lay there until the end of a series.
 */
setFlagsFromString('--heap-growing-percent=30');
