"""The state of the studio, in Node: undo, the places on the pad, and the address."""

from __future__ import annotations

from typing import Any

import numpy as np
from fixtures.node import RunScript
from gmd_vae.models.model_file import ModelFile
from gmd_vae.rendering.studio.model_data import attribute_vectors, describe_drums, pack_model
from gmd_vae.rendering.studio.scripts import ENGINE, MUSIC


def data_of(model: ModelFile) -> dict[str, Any]:
    """Returns what the page gives a studio."""
    attributes = attribute_vectors(model)
    return {"model": pack_model(model), "drums": describe_drums(model.config), "attributes": attributes}


def test_undo_and_redo_go_back_and_forth(run_script: RunScript) -> None:
    code = """
    const history = new UndoHistory();
    history.keep("a"); history.keep("b");
    const back = [history.undo("c"), history.undo("b"), history.undo("a") ?? null];
    const forth = [history.redo("a"), history.redo("b"), history.redo("c") ?? null];
    history.undo("c"); history.keep("b");
    print([back, forth, history.redo("d") ?? null]);
    """
    assert run_script(MUSIC, code) == [["b", "a", None], ["b", "c", None], None]


# The studio of the page, and ``settled``, which waits until all that was asked for has ended
STUDIO = """
const client = new ModelClient(given.model, "");
const settings = {tempo: 120, swing: 50, humanize: 0, temperature: 0.5, seed: 0};
const studio = new Studio(client, given.drums, new Performer(given.drums, null), given.attributes, settings, () => {});
const settled = async () => {
  for (let same = 0, edits = -1; same < 5 || studio.newest.asked || client.waiting.size; edits = studio.edits) {
    same = edits === studio.edits ? same + 1 : 0;
    await new Promise((resolve) => { setTimeout(resolve); });
  }
};
"""

UNDO = """
const locks = () => Object.values(studio.locks).map((numbers) => [...numbers]);
const look = () => JSON.stringify({...studio.state(), set: [...studio.set], locks: locks()});
const steps = {
  lock: () => studio.toggleLock("drums", 1),
  bar: () => studio.toggleLock("bars", 2),
  tempo: () => { studio.keep(); studio.change({tempo: 90, swing: 60}); },
  cell: () => studio.edit(5, 3),
  corner: () => studio.fillCorner(2),
  chain: () => studio.addToChain(),
  path: () => studio.follow([{x: 0, y: 0}, {x: 1, y: 1}]),
  remove: () => studio.removeFromChain(3),
  character: () => { studio.keep(); return studio.setCharacter("busier", 1); },
  seed: () => studio.newBeats(4),
  take: () => studio.takeCorner(3),
};
(async () => {
  await studio.newBeats(0);
  studio.history = new UndoHistory();
  const seen = [look()], back = [], forth = [];
  for (const step of Object.values(steps)) {
    await step();
    seen.push(look());
  }
  for (const _ of seen.slice(1)) {
    back.unshift(look());
    studio.undo();
  }
  const first = look();
  for (const _ of seen.slice(1)) {
    studio.redo();
    forth.push(look());
  }
  print({different: new Set(seen).size, seen: seen.slice(1), back, forth, first, start: seen[0]});
})();
"""


def test_undo_covers_locks_settings_corners_chain_path_character_and_seed(
    tiny_model: ModelFile, run_script: RunScript
) -> None:
    found = run_script([*ENGINE, *MUSIC], STUDIO + UNDO, data_of(tiny_model))
    assert found["different"] == 12
    assert found["seen"] == found["back"] == found["forth"]
    assert found["first"] == found["start"]


def test_the_place_of_a_latent_vector_on_the_pad_is_found_again(run_script: RunScript) -> None:
    code = """
    const corners = [0, 1, 2, 3].map((file) => randomNormals(1, LATENTS, file, 0, 16));
    const places = [[0, 0], [1, 0], [0, 1], [1, 1], [0.25, 0.7]];
    const found = places.map(([x, y]) => nearestPlace(corners, latentAt(corners, x, y)));
    print(found.map(({x, y}) => [x, y]));
    """
    assert np.allclose(run_script([*ENGINE, *MUSIC], code), [[0, 0], [1, 0], [0, 1], [1, 1], [0.25, 0.7]])


SHARED = """
const beats = given.map((levels) => Uint8Array.from(levels));
const state = {seed: 9, temperature: 0.5, tempo: 96, swing: 58, humanize: 0.7, levels: beats[0]};
const text = shareText({...state, corners: [[2, beats[1]]], chain: [beats[1], beats[0]]});
const read = readShared(text, 576), lists = JSON.parse(JSON.stringify(read), (_, value) =>
  value && value["0"] !== undefined && !Array.isArray(value) ? Object.values(value) : value);
const wrong = ["", "1", text + "/", text.replace("1,9", "2,9"), text.replace(",96,", ",9999,"), text.slice(0, -1),
  text.replace("58", "NaN"), text.replace("/2", "/7"), text + ",<script>", "%00".repeat(99)];
print({text, lists, wrong: wrong.map((one) => readShared(one, 576)), other: readShared(text, 64)});
"""


def test_the_address_keeps_a_state_and_refuses_other_texts(run_script: RunScript) -> None:
    beats = np.random.default_rng(5).integers(0, 4, (2, 576)).tolist()
    found = run_script([*ENGINE, *MUSIC], SHARED, beats)
    assert set(found["text"]) <= set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,/-_")
    state = {"seed": 9, "temperature": 0.5, "tempo": 96, "swing": 58, "humanize": 0.7}
    expected = {**state, "levels": beats[0], "corners": [[2, beats[1]]], "chain": [beats[1], beats[0]]}
    assert found["lists"] == expected
    assert found["wrong"] == [None] * 10
    assert found["other"] is None


MEANWHILE = """
const earlier = {
  "pad before": () => studio.moveTo(0.25, 0.5),
  "tidy before": () => studio.tidy(),
};
const later = {
  nothing: () => {},
  tempo: () => studio.change({tempo: 90}),
  corner: () => { studio.takeCorner(1); studio.takeCorner(2); },
  "corner with a lock": () => { studio.toggleLock("drums", 1); studio.takeCorner(2); },
  "filled corner": () => studio.fillCorner(3),
  cell: () => studio.edit(5, 3 - studio.beat.levels[5]),
  pad: () => void studio.moveTo(0.25, 0.5),
  character: () => void studio.setCharacter("busier", 1),
  tidy: () => void studio.tidy(),
};
(async () => {
  const first = studio.newBeats(100), decode = client.decode.bind(client), found = {};
  studio.takeCorner(3);
  await first;
  found.first = [studio.corners.indexOf(studio.beat), studio.history.past.length];
  for (const [number, name] of [...Object.keys(earlier), ...Object.keys(later)].entries()) {
    client.decode = decode;
    studio.locks = {drums: new Set(), bars: new Set()};
    await studio.newBeats(100);
    await studio.edit(7, 3 - studio.beat.levels[7]); // a beat of the user's: no corner has it
    const own = studio.beat, old = studio.corners;
    let arrive;
    const arrival = new Promise((resolve) => { arrive = resolve; });
    client.decode = (request) => arrival.then(() => decode(request));
    earlier[name]?.();
    const asked = studio.newBeats(number);
    await later[name]?.();
    const states = studio.history.past.length;
    arrive();
    await asked;
    await settled();
    const {beat, place, corners, set} = studio, known = [own.levels, ...old.map(({levels}) => levels)];
    found[name] = {
      seed: settings.seed, name: beat.name, place: [place.x, place.y], set: [...set],
      taken: corners.findIndex(({z}) => z === beat.z), undo: studio.history.past.length - states,
      kept: corners.flatMap(({levels}, at) => (known.includes(levels) ? [at] : [])),
    };
  }
  print(found);
})();
"""


def test_what_is_done_before_new_beats_arrive_wins(tiny_model: ModelFile, run_script: RunScript) -> None:
    found = run_script([*ENGINE, *MUSIC], STUDIO + MEANWHILE, data_of(tiny_model))
    assert found.pop("first") == [3, 1], "before there are any beats, a corner is noted"
    assert [one["seed"] for one in found.values()] == list(range(11))
    taken = {name: (one["taken"], one["place"]) for name, one in found.items() if one["taken"] >= 0}
    corner_a = dict.fromkeys(("pad before", "tidy before", "nothing", "tempo"), (0, [0, 0]))
    corner_c = dict.fromkeys(("corner", "corner with a lock"), (2, [0, 1]))
    assert taken == {**corner_a, **corner_c, "filled corner": (3, [1, 1])}
    changed = {"cell": "edited beat", "pad": "morph", "character": "changed beat", "tidy": "tidy beat"}
    assert {name: one["name"] for name, one in found.items() if name not in taken} == changed
    assert found["pad"]["place"] == [0.25, 0.5]
    assert {name: (one["kept"], one["set"]) for name, one in found.items() if one["kept"] or one["set"]} == {
        "filled corner": ([3], [3])
    }
    assert {name: one["undo"] for name, one in found.items() if one["undo"] != 1} == {"tidy": 2}


DROPPED = """
const asked = {
  "two places": () => { studio.keep(); void studio.moveTo(0.25, 0.5); void studio.moveTo(0.75, 0.5); },
  "two amounts": () => { studio.keep(); void studio.setCharacter("busier", 1); void studio.setCharacter("busier", 2); },
  "place and amount": () => { studio.keep(); void studio.moveTo(0.25, 0.5); void studio.setCharacter("busier", 1); },
  "two seeds": () => { void studio.newBeats(7); void studio.newBeats(8); },
  "the seed of the state": () => { void studio.newBeats(8); void studio.newBeats(5); },
};
(async () => {
  const found = {};
  for (const [name, ask] of Object.entries(asked)) {
    await studio.newBeats(5);
    studio.takeCorner(1);
    const before = [studio.beat, studio.corners, settings.seed];
    if (name.endsWith("seeds") || name.startsWith("the seed")) studio.addToChain();
    ask();
    studio.undo();
    await settled();
    found[name] = [studio.beat, studio.corners, settings.seed].map((one, at) => one === before[at]);
  }
  studio.keep();
  void studio.moveTo(0.25, 0.5);
  void studio.moveTo(0.75, 0.5);
  studio.undo();
  void studio.moveTo(0.5, 0.25);
  await settled();
  print({found, after: studio.place});
})();
"""


def test_undo_drops_what_is_computed_and_what_waits(tiny_model: ModelFile, run_script: RunScript) -> None:
    result = run_script([*ENGINE, *MUSIC], STUDIO + DROPPED, data_of(tiny_model))
    names = ("two places", "two amounts", "place and amount", "two seeds", "the seed of the state")
    assert result["found"] == dict.fromkeys(names, [True] * 3)
    assert result["after"] == {"x": 0.5, "y": 0.25}, "a request after the undo is taken"
