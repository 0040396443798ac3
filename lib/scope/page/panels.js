// @ts-check
/// <reference lib="dom" />
/** The forms for trigger, generator, spectrum and X–Y. */

/**
 * A field of a form.
 *
 * @param {Element} form
 * @param {string} name
 */
export function field(form, name) {
  return /** @type {HTMLInputElement} */ (form.querySelector(`[name="${name}"]`));
}

/**
 * Offers signals to choose from; what was chosen stays.
 *
 * @param {Element} form
 * @param {string} name
 * @param {{ signal: number, name: string }[]} signals
 * @param {number} chosen
 */
export function offer(form, name, signals, chosen) {
  const select = /** @type {HTMLSelectElement} */ (form.querySelector(`select[name="${name}"]`));
  select.replaceChildren(
    ...signals.map((each) => new Option(each.name, String(each.signal))),
  );
  select.value = String(chosen);
}

/**
 * The form of the trigger.
 *
 * @param {HTMLFormElement} form
 * @param {(change: Partial<import("./view.js").Trigger>) => void} onChange
 */
export function listenToTrigger(form, onChange) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    const number = (/** @type {string} */ name) => Number(field(form, name).value) || 0;
    onChange({
      signal: number("signal"),
      slope: /** @type {"rising"} */ (field(form, "slope").value),
      mode: /** @type {"auto"} */ (field(form, "mode").value),
      level: number("level"),
      hysteresis: Math.max(0, number("hysteresis")),
      holdoff: Math.max(0, number("holdoff")),
      position: Math.min(1, Math.max(0, number("position") / 100)),
    });
  });
}

/**
 * Shows a trigger in its form.
 *
 * @param {HTMLFormElement} form
 * @param {import("./view.js").Trigger} trigger
 */
export function showTrigger(form, trigger) {
  const { position, ...others } = trigger;
  for (const [name, value] of Object.entries({ ...others, position: position * 100 })) {
    const each = field(form, name);
    if (each && each !== document.activeElement) each.value = String(value);
  }
}

/**
 * The form of the generator.
 *
 * @param {HTMLFormElement} form
 * @param {(change: Record<string, unknown>) => void} onChange
 */
export function listenToGenerator(form, onChange) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLInputElement || target instanceof HTMLSelectElement)) return;
    if (target.name === "type") onChange({ signal: target.value });
    else if (target.value !== "") onChange({ [target.name]: Number(target.value) });
  });
}

/**
 * Shows the generator's settings.
 *
 * @param {HTMLFormElement} form
 * @param {import("./types.js").Generator | null} generator
 */
export function showGenerator(form, generator) {
  form.hidden = generator === null;
  if (!generator) return;
  const select = /** @type {HTMLSelectElement} */ (form.querySelector('[name="type"]'));
  if (select.options.length !== generator.types.length) {
    select.replaceChildren(...generator.types.map((type) => new Option(type)));
  }
  select.value = generator.signal;
  for (const name of /** @type {const} */ (["frequency", "amplitude", "offset"])) {
    const each = field(form, name);
    if (each !== document.activeElement) each.value = String(generator[name]);
  }
}
