"""The parameters that `TabularClassifier` and `TabularRegressor` share: what each means, and what it may be.

Takes docstrings with placeholders. Returns them with descriptions. Never sees data.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval, StrOptions

from rosenblatt.estimators.base import describe_parameters
from rosenblatt.nn.activations.functions import BASES
from rosenblatt.tables.task import MIN_WINDOW

__all__ = ["CONSTRAINTS", "OVERRIDES", "describe_shared_parameters"]

OVERRIDES = {
    **{name: name for name in ("members", "activation", "dropout", "weight_decay", "batch_size")},
    **{"max_iter": "epochs", "learning_rate_init": "learning_rate", "hidden_layer_sizes": "hidden"},
}
"""Parameters that replace a preset's settings, and the names of these settings."""
CONSTRAINTS: dict[str, Any] = {
    "preset": [StrOptions({"fast", "default", "best"})],
    "time_budget": [Interval(Real, 0, None, closed="neither"), str, None],
    "kinds": [Mapping, None],
    "ignore": ["array-like", str, None],
    "members": [Interval(Integral, 1, 100, closed="both"), None],
    "max_iter": [Interval(Integral, 1, None, closed="left"), None],
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left"), None],
    "activation": [StrOptions(set(BASES)), None],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither"), None],
    "dropout": [Interval(Real, 0, 1, closed="left"), None],
    "weight_decay": [Interval(Real, 0, None, closed="left"), None],
    "batch_size": [Interval(Integral, 1, None, closed="left"), None],
    "cv": ["cv_object"],
    "random_state": ["random_state"],
    "on_epoch": [callable, None],
    "verbose": ["verbose"],
    "checkpoint": [str, HasMethods("__fspath__"), None],
    "checkpoint_every": [str, Interval(Integral, 1, None, closed="left")],
    "window": [Interval(Integral, MIN_WINDOW, None, closed="left")],
    "memory_limit": [Interval(Real, 1, None, closed="left"), str, None],
    "client": "no_validation",  # its class is that of a package that may not be there; `fit` checks it
}

describe_shared_parameters = describe_parameters(
    preset="""
        preset : {"fast", "default", "best"}
            The amount of training: one small network, an ensemble of small networks, or one of larger networks.
    """,
    shared_parameters="""
        time_budget : float or str, optional
            Seconds that `fit` may take, or a time such as "90s", "5m" or "1h". Members and epochs are planned
            for this time, after which training ends.
        kinds : mapping of str to {"numeric", "categorical", "text", "ignored"}, optional
            The kinds of columns for which the guess is wrong.
        ignore : list of str, optional
            Columns to leave out, which may be of any type: short for the kind "ignored".
        members : int, optional
            Number of networks, which is also the number of folds. With 1, a fifth of the rows is held out.
        cv : int, splitter of scikit-learn or iterable of (training rows, held-out rows), optional
            The folds, of each of which a network is trained; instead of `members`. Rows may be held out several times,
            or never. A splitter gets the targets, and the `groups` of `fit`.
        max_iter, hidden_layer_sizes, activation, learning_rate_init, dropout, weight_decay, batch_size : optional
            They replace settings of the preset: largest number of epochs; units of each hidden layer; function that
            each unit mixes with the identity ("relu", "selu", "mish", "silu" or "tanh"); peak of the learning rate;
            dropout share and weight decay, both in the first half of training; rows in a mini-batch.
        random_state : int, RandomState instance or None, default=0
            Source of folds, initial weights, row orders and masks. Equal seeds give equal models.
        on_epoch : callable, optional
            Called with an `MemberEpoch` after each epoch of a network, for example ``print``. The calls come from other
            threads, one at a time.
        verbose : bool, default=False
            Whether to show the progress: a bar in a terminal or a notebook, elsewhere a line for each finished network.
        checkpoint : path, optional
            Folder in which the fit is saved, in a folder of its own for each combination of data, parameters and seed.
            The same call of `fit` resumes exactly where it stopped, even after the process was killed. Of a fit with
            `time_budget`, the plan is kept and the finished networks are; the rest depends on the machine.
        checkpoint_every : int or str, default="30s"
            Number of steps of a network between two checkpoints, or a time.
        window : int, default=2**20
            A dataset (see `fit`) with more rows than this, which are 100 at least, is not read into memory. Its rows
            are prepared in a temporary file, and each network trains on as many of them at a time as a window holds,
            while the next ones are read. Results depend on the data, the seed and the window, and not on the machine.
        memory_limit : int or str, optional
            Bytes that the windows of all networks may take together, or a size such as "2GB"; by default, half of the
            memory that is free. It says how many networks train at once, and changes no result. On a cluster it counts
            for each worker process, and under ``mpiexec`` for each rank.
        client : distributed.Client, optional
            A Dask cluster, on whose workers the networks are trained, one in each of their threads: the same networks,
            bit for bit, as on one machine. Without it, ``with joblib.parallel_config(backend="dask")`` does the same,
            and other backends of joblib train the networks where they run. The workers need the same version of
            rosenblatt and, for `checkpoint`, the same folder. A dataset of more rows than the window is read by each
            worker, so that its files must lie in a folder that all share. A worker that is lost is replaced by another.
            Clones share the client; files and pickles hold none.
    """,
    shared_attributes="""
        scores_ : dict of str to (float, float)
            Scores of the out-of-fold predictions by name, each beside that of the best guess without a model. The first
            is what was asked for.
        trivial_guess_ : str
            The guess of the first score, such as "always 'No'".
        guesses_ : dict of str to (str, tuple of float)
            The guess of each of `scores_`: its name, and a number for each class or output.
        beats_guess_ : bool
            Whether the first score is better than that of the guess.
        target_name_ : str or None
            Name of the column to predict, if it had one.
        target_check_ : str
            What else the target may be, if its reading is doubtful; `report` says it, too.
        n_rows_ : int
            Number of training rows.
        n_distinct_ : int
            Number of different training rows. Copies, which are equal in all columns, stay together when rows are held
            out. Where columns have so few values that rows repeat by nature, no row counts as a copy.
        divides_copies_ : bool
            Whether some copies were held out while others trained, as folds by time or by a splitter may do.
        n_groups_ : int or None
            Number of different `groups`, if they were given.
        group_column_ : str or None
            Name of the column of the groups, if they were given by a name.
        weight_column_ : str or None
            Name of the column of the weights, if they were given by a name.
        weighted_ : bool
            Whether the training rows had weights.
        n_scored_ : int
            Number of rows that `scores_` were measured on; rows without weight do not count.
        n_dropped_ : int
            Number of rows that were left out because they have no target.
        id_columns_ : list of str
            Names of the columns that were given as `id`.
        score_on_ : str
            What the scores measure: "on rows not seen in training", "on groups not seen in training", "on later rows"
            or "on the validation rows".
        preparation_ : Preparation
            How columns become inputs of the networks. Its `kinds` are those of the columns.
        ensemble_ : Ensemble
            The networks, and the settings that they were trained with.
        background_ : Background
            The mean training row, which gradients are multiplied with the difference from, and hashes of at most 1,000
            training rows.
        training_digest_ : str
            A hash of the training rows and their targets, by which `report` recognizes them.
        fitted_parameters_ : dict
            The parameters that predictions depend on, as they were in `fit`.
        n_iter_ : int
            Epochs of the network that was trained for the most.
        fit_time_ : float
            Seconds that the last `fit` took. Files do not hold it.
        n_features_in_, feature_names_in_
            Number and names of the columns, as in scikit-learn.
    """,
)
