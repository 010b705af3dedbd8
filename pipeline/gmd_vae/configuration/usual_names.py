"""Names of the hyperparameters in other programs: hints for a name that ``--hparams`` does not know."""

from __future__ import annotations

from collections.abc import Iterable

from gmd_vae.common.errors import nearest

# hyperparameter → names in other programs
_NAMES = {
    "z_size": "latent_size latent_dim latent_dims latent n_latent num_latents z_dim zdim nz bottleneck_size",
    "learning_rate": "lr initial_lr base_lr step_size eta",
    "min_learning_rate": "min_lr final_lr end_lr lr_min",
    "decay_rate": "lr_decay gamma",
    "max_beta": "beta beta_max kl_weight kld_weight kl_beta kl_coef kl_coeff kl_scale",
    "beta_warm_up_steps": "kl_warmup kl_warmup_steps kl_anneal kl_annealing beta_warmup beta_warmup_steps anneal_steps",
    "free_bits": "free_nats kl_floor kl_tolerance",
    "batch_size": "batch bs minibatch minibatch_size batchsize",
    "warm_up_steps": "warmup warmup_steps lr_warmup lr_warmup_steps",
    "average_decay": "ema ema_decay polyak",
    "grad_clip": "clip clip_norm clip_grad gradient_clip gradient_clipping max_grad_norm",
    "sampling_schedule": "scheduled_sampling teacher_forcing teacher_forcing_ratio",
    "enc_rnn_size": "enc_size enc_hidden_size encoder_size encoder_hidden_size encoder_rnn_size encoder_units",
    "dec_rnn_size": "dec_size dec_hidden_size decoder_size decoder_hidden_size decoder_rnn_size decoder_units",
}
# sentence → names in other programs
_SENTENCES = {
    "Did you mean 'enc_rnn_size' or 'dec_rnn_size'? Each is a list, one size for each layer, like [256,256].": (
        "hidden hidden_size hidden_dim hidden_units rnn_size rnn_units lstm_size units num_units layers num_layers"
    ),
    "Did you mean 'dropout_keep_prob'? It is 1 - dropout: 1 drops nothing.": (
        "dropout dropout_rate dropout_prob keep_prob"
    ),
    "It is no hyperparameter: give the steps of the run with --num-steps.": (
        "epochs epoch num_epochs n_epochs max_epochs steps num_steps max_steps train_steps iterations iters"
    ),
    **{f"Did you mean '{known}'?": names for known, names in _NAMES.items()},
}
_HINTS = {name: sentence for sentence, names in _SENTENCES.items() for name in names.split()}


def hint_for(name: str, known: Iterable[str]) -> str:
    """Returns a sentence with the hyperparameter that an unknown name stands for, or else the nearest ones.

    Args:
        name: The name, as it was typed.
        known: All hyperparameters.
    """
    return _HINTS.get(name.lower().replace("-", "_")) or nearest(name, list(known))
