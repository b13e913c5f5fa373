// Keeps a figure and its widget's model in sync: a change of either is applied to the other.

import type { Raw, Scene } from "./scene.js";
import type { InputValue } from "./spec.js";

/** The part of anywidget's model that a figure uses; the static page has its own. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  on(event: string, listener: () => void): void;
  off(event: string, listener: () => void): void;
  save_changes(): void;
}

const PAUSE = 60; // milliseconds in which further changes are collected before they are sent to the kernel

/** Sets the scene's inputs to the model's values. */
export function setInputs(scene: Scene, values: unknown): void {
  if (typeof values !== "object" || values === null) return;
  for (const [name, value] of Object.entries(values)) scene.set(name, value as Raw);
}

/** Applies changes of the scene to the model, and changes of the model to the scene; returns a function that stops this. */
export function connect(scene: Scene, model: Model): () => void {
  let settingModel = false; // while the scene sets the model, the model's change events are ignored
  let pending = 0;
  const scalars = [...scene.inputs.values()].filter((input) => !(input.raw instanceof Float64Array)).map((input) => input.name);
  scene.onSave(() => {
    const names = scene.takeTouched();
    if (settingModel) return;
    const values = Object.fromEntries([...scene.inputs].map(([name, input]) => [name, input.jsonValue()]));
    settingModel = true;
    model.set("values", values);
    for (const name of names) if (scalars.includes(name) && model.get(name) !== undefined) model.set(name, values[name]);
    settingModel = false;
    if (!pending) {
      pending = window.setTimeout(() => {
        pending = 0;
        model.save_changes();
      }, PAUSE);
    }
  });
  const followModel = (): void => {
    if (!settingModel) setInputs(scene, model.get("values"));
  };
  model.on("change:values", followModel);
  const scalarListeners = scalars.map((name) => {
    const listener = (): void => {
      const value = model.get(name);
      if (!settingModel && value !== undefined) scene.set(name, value as InputValue);
    };
    model.on(`change:${name}`, listener);
    return { name, listener };
  });
  return () => {
    model.off("change:values", followModel);
    for (const { name, listener } of scalarListeners) model.off(`change:${name}`, listener);
  };
}
