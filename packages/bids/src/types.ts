/** What a stored session looks like to rules and plan, and what a plan is. The vocabulary of BIDS 1.10 where it has a word. */

/** What distinguishes parts of a complex image (entity `part`). */
export type Part = 'mag' | 'phase' | 'real' | 'imag';

/** One image that dcm2niix makes of a series, as its sidecar describes it (`dcm2niix -b o`). */
export interface Output {
  /** The name that dcm2niix gave it, without extension; unique within its series. */
  readonly name: string;
  readonly imageType: readonly string[];
  readonly part: Part | undefined;
  /** From 1, where the series has several echoes. */
  readonly echo: number | undefined;
  /** In seconds. */
  readonly echoTime: number | undefined;
  /** In seconds. */
  readonly inversionTime: number | undefined;
  /** `i`, `i-`, `j`, `j-`, `k`, `k-`; undefined where dcm2niix does not know. */
  readonly phaseEncodingDirection: string | undefined;
  /** Shim settings; a field map has to have the same. */
  readonly shim: readonly number[] | undefined;
  /** The whole sidecar, unscrubbed. */
  readonly sidecar: Readonly<Record<string, unknown>>;
}

/** Where and how images lie in space; two series with equal geometry differ by less than rounding. */
export interface Geometry {
  readonly rows: number;
  readonly columns: number;
  readonly slices: number;
  /** Millimetres: row, column, slice. */
  readonly spacing: readonly [number, number, number];
  /** ImageOrientationPatient (0020,0037), six direction cosines. */
  readonly orientation: readonly number[];
  /** ImagePositionPatient (0020,0032) of the first slice. */
  readonly position: readonly number[];
}

/** One stored series, as its files' headers say. */
export interface SeriesFacts {
  /** Scanflow's identifier of the series. */
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly seriesNumber: number | undefined;
  /** Relative to `storage.root`, with `/`. */
  readonly folder: string;
  readonly modality: string;
  readonly manufacturer: string;
  readonly model: string;
  /** StationName (0008,1010), or the sending AE title. */
  readonly scanner: string;
  readonly protocolName: string;
  readonly seriesDescription: string;
  readonly sequenceName: string;
  /** `2D`, `3D` or empty. */
  readonly mrAcquisitionType: string;
  /** First and last acquisition, local time of the scanner: `2026-11-30T10:15:00.000000`. Empty where no image has one. */
  readonly acquired: { readonly from: string; readonly to: string };
  /** DICOM files of the series. */
  readonly images: number;
  /** Volumes that the headers make up; of an incomplete last volume see `whole`. */
  readonly volumes: number;
  /** False: the last volume lacks slices. */
  readonly whole: boolean;
  /** What the protocol planned (NumberOfTemporalPositions …), where the headers say so. */
  readonly plannedVolumes: number | undefined;
  /** Distinct, ascending, in s/mm². */
  readonly bValues: readonly number[];
  readonly geometry: Geometry | undefined;
  /** Empty where dcm2niix makes nothing of it (`unconvertible` says why). */
  readonly outputs: readonly Output[];
  /** dcm2niix's own words, or ours, where no image comes of the series. */
  readonly unconvertible: string | undefined;
}

export interface SessionFacts {
  readonly project: string;
  readonly subject: string;
  readonly session: string | undefined;
  /** One registration of the booking; several studies may share it. */
  readonly accessionNumber: string;
  readonly series: readonly SeriesFacts[];
}

/** Entities of a BIDS name besides `sub` and `ses`, by their short keys (`task`, `acq`, `dir`, `run`, `echo`, `part`, `ce` …). */
export type Entities = Readonly<Record<string, string>>;

export interface Target {
  /** `anat`, `func`, `dwi`, `fmap`, `perf`, `pet` … */
  readonly datatype: string;
  readonly suffix: string;
  readonly entities: Entities;
}

/**
 * What becomes of a series: `convert` into the dataset; `ignore` and `derivative` by rule; `repeat`: a later one took the name; `aborted`:
 * fewer volumes than planned; `unknown`: no rule takes it; `unreadable`: dcm2niix makes nothing of it.
 * All but `convert` stay in the sourcedata alone.
 */
export type Decision = 'convert' | 'ignore' | 'derivative' | 'repeat' | 'aborted' | 'unknown' | 'unreadable';

export interface PlannedOutput {
  /** The `name` of the output. */
  readonly output: string;
  /** Relative to the dataset, without extension: `sub-001/ses-mr01/anat/sub-001_ses-mr01_T1w`. */
  readonly path: string;
  readonly target: Target;
  /** Goes into the sidecar over what dcm2niix wrote: TaskName, B0FieldIdentifier, IntendedFor … */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of `asl`: what each volume is, for `…_aslcontext.tsv`. */
  readonly aslContext?: readonly string[];
}

export interface PlannedSeries {
  readonly id: string;
  readonly folder: string;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string;
  readonly decision: Decision;
  /** A sentence for people: why this decision, why this name. */
  readonly reason: string;
  /** Where the rule stands: `rules.yaml:12`, `ReproIn`, `siemens.yaml:4`. */
  readonly rule: string | undefined;
  /** Outputs that go into the dataset; empty unless `convert`. */
  readonly outputs: readonly PlannedOutput[];
  /** For `unknown`: a rule as YAML that would take it. */
  readonly suggestion: string | undefined;
}

/** Something that a person has to settle; the series it names are not converted, all others are. */
export interface Conflict {
  /** From the catalogue of failures, `BIDS_…`. */
  readonly code: string;
  readonly message: string;
  readonly series: readonly string[];
}

export interface Plan {
  readonly project: string;
  /** BIDS labels, without `sub-` and `ses-`. */
  readonly subject: string;
  readonly session: string | undefined;
  readonly accessionNumber: string;
  readonly series: readonly PlannedSeries[];
  readonly conflicts: readonly Conflict[];
}

/** How a project wants its plans; `bids:` of the configuration sets it. */
export interface PlanOptions {
  /** Of several complete takes of one name: `last` wins the plain name, or all get `run-`. */
  readonly repeats: 'last' | 'runs';
  /** How images learn of their field map: BIDS URIs in the map, identifiers in both, or nothing. */
  readonly fieldmaps: readonly ('IntendedFor' | 'B0Field')[];
}

export const PLAN_OPTIONS: PlanOptions = { repeats: 'last', fieldmaps: ['IntendedFor', 'B0Field'] };
