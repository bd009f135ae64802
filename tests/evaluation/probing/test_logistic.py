"""The path of logistic regressions against scikit-learn's fits of the same objective."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from igdet.evaluation.probing.linear import PrincipalBasis
from igdet.evaluation.probing.logistic import fit_path

STRENGTHS = (0.01, 1.0, 100.0)


@pytest.fixture
def blobs():
    """(120, 6) features around the centres of four overlapping classes, and their labels."""
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 4
    features = rng.normal(size=(4, 6))[labels] + rng.normal(size=(120, 6)) * [3, 1, 1, 1, 0.3, 0.1]
    return features, labels


def fits_of(features, labels, num_classes=4, strengths=STRENGTHS, **options):
    return list(fit_path(torch.from_numpy(features), torch.from_numpy(labels), num_classes, strengths, **options))


def peer(features, labels, strength):
    return LogisticRegression(C=strength, tol=1e-12, max_iter=10_000).fit(features, labels)


def peer_objective(model, features, labels):
    return log_loss(labels, model.predict_proba(features)) + (model.coef_**2).sum() / (2 * model.C * len(features))


def test_coefficients_and_objectives_are_scikit_learns(blobs):
    for fit in fits_of(*blobs, tolerance=1e-13):
        model = peer(*blobs, fit.strength)
        np.testing.assert_allclose(fit.params[:-1].T, model.coef_, atol=1e-4)
        # Only differences of intercepts matter: they are not penalised.
        intercept = fit.params[-1].numpy()
        np.testing.assert_allclose(intercept - intercept.mean(), model.intercept_ - model.intercept_.mean(), atol=1e-4)
        assert fit.objective == pytest.approx(peer_objective(model, *blobs), rel=1e-9)
        assert fit.converged


def test_in_float32_the_objective_comes_near_its_minimum(blobs):
    features, labels = blobs
    for fit in fits_of(features.astype(np.float32), labels, tolerance=1e-4):
        best = peer_objective(peer(*blobs, fit.strength), *blobs)
        assert best * (1 - 1e-6) <= fit.objective <= best * (1 + 1e-3)


def test_a_path_is_the_same_as_single_fits_in_any_order(blobs):
    path = fits_of(*blobs, strengths=reversed(STRENGTHS), tolerance=1e-13)
    assert [fit.strength for fit in path] == list(STRENGTHS)
    [alone] = fits_of(*blobs, strengths=[1.0], tolerance=1e-13)
    torch.testing.assert_close(path[1].params[:-1], alone.params[:-1], atol=1e-5, rtol=0)


def test_the_principal_basis_changes_nothing_but_the_name_of_the_strength(blobs):
    features, labels = blobs
    basis = PrincipalBasis.of(torch.from_numpy(features))
    turned = basis(torch.from_numpy(features))
    assert turned.square().sum(1).mean().item() == pytest.approx(1)
    covariance = (turned.T @ turned).numpy()
    np.testing.assert_allclose(covariance - np.diag(np.diag(covariance)), 0, atol=1e-9)
    squared_scale = ((features - features.mean(0)) ** 2).sum(1).mean()
    [fit] = fits_of(turned.numpy(), labels, strengths=[2.0 * squared_scale], tolerance=1e-13)
    assert fit.objective == pytest.approx(peer_objective(peer(features, labels, 2.0), features, labels), rel=1e-8)


def test_classes_without_an_image_are_never_the_answer(blobs):
    features, labels = blobs
    kept = labels != 2
    [fit] = fits_of(features[kept], labels[kept], num_classes=6, strengths=[1.0], tolerance=1e-13)
    logits = fit.logits(torch.from_numpy(features))
    assert set(logits.argmax(1).tolist()) == {0, 1, 3}
    model = peer(features[kept], labels[kept], 1.0)
    np.testing.assert_allclose(logits[:, [0, 1, 3]].softmax(1), model.predict_proba(features), atol=1e-5)


def test_one_image_a_class_and_constant_features(blobs):
    features, labels = blobs
    few = np.concatenate([features[:4], np.ones((4, 2))], axis=1)
    [fit] = fits_of(few, labels[:4], strengths=[1.0], tolerance=1e-13)
    np.testing.assert_allclose(fit.params[:-1].T, peer(few, labels[:4], 1.0).coef_, atol=1e-5)
    [same] = fits_of(np.ones((4, 2)), labels[:4], strengths=[1.0])
    assert same.objective == pytest.approx(np.log(4))


def test_a_basis_of_equal_features_is_no_basis():
    basis = PrincipalBasis.of(torch.ones(4, 3))
    assert not basis(torch.ones(4, 3)).any()


def test_a_fit_that_is_cut_short_says_so(blobs, caplog):
    [fit] = fits_of(*blobs, strengths=[100.0], tolerance=1e-13, max_iterations=2)
    assert (fit.iterations, fit.converged) == (2, False)
    assert "C = 100: stopped after 2 iterations" in caplog.text
