"""Random numbers of a batch: functions of seed and step, the same on one machine and on several."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow

SIZE = 12


def test_each_process_draws_the_numbers_of_its_rows() -> None:
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import BatchDraws

    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, [])

        def drawn(first_row: int, size: int) -> list[object]:
            draws = BatchDraws(3, step, SIZE, first_row, size)
            return [draws.uniform(), draws.uniform(5), draws.integers(7, 3), draws.others()]

        whole, *shares = drawn(0, SIZE), drawn(0, 6), drawn(6, 6), drawn(12, 6)  # the last one is a spare worker
        first, *parts = session.run([whole, *shares], {step: 4})
        again, later = session.run(whole, {step: 4}), session.run(whole, {step: 5})
    for values, one, other, spare, repeated, changed in zip(first, *parts, again, later, strict=True):
        np.testing.assert_array_equal(np.concatenate([one, other]), values)
        np.testing.assert_array_equal(spare, one)
        np.testing.assert_array_equal(repeated, values)
        assert (changed != values).any()
    assert len(np.unique(np.concatenate([first[0], first[1].ravel()]))) == 6 * SIZE


def test_whole_numbers_and_other_windows_are_equally_likely() -> None:
    """The bounds are five standard deviations of a binomial distribution."""
    from gmd_vae.magenta.api import tf
    from gmd_vae.training.augmentation.batch_draws import BatchDraws

    size, steps = 5, 3000
    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, [])
        draws = BatchDraws(3, step, size, 0, size)
        fetched = [draws.integers(4), draws.others(), BatchDraws(3, step, 1, 0, 1).others()]
        results = [session.run(fetched, {step: number}) for number in range(steps)]
    integers, others, alone = (np.array(values) for values in zip(*results, strict=True))
    assert (alone == 0).all()
    assert not (others == np.arange(size)).any()
    for values, kinds, share in ((integers, range(4), 1 / 4), (others, range(size), 1 / size)):
        for kind in kinds:
            bound = 5 * np.sqrt(share * (1 - share) / values.size)
            assert np.mean(values == kind) == pytest.approx(share, abs=bound)
